import { NotFoundError } from '../errors.ts';
import type { Database, Executor } from '../store/database.ts';
import { WorkerEntity } from '../store/entities/organisation.ts';
import type { OrganisationId, PositionId, RoleId, WorkerId } from '../store/ids.ts';
import { changeOrganisation } from './change-organisation.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { isGuest, visibleWorker } from './visible-workers.ts';

/** A Worker as colleagues see it: no addresses. */
export interface Colleague {
  id: WorkerId;
  name: string;
  kind: 'human' | 'ai';
  guest: boolean;
  position: PositionId | null;
  title: string | null;
  role: RoleId | null;
}

const colleague = `
  w.id, w.name, w.kind, ${isGuest('w')} as guest, w.position, p.title, p.role`;

const fromWorkers = `
  from worker w left join "position" p on p.organisation = w.organisation and p.id = w.position`;

/** A page of the Workers that all `readers` may see. The dismissed are not listed. */
export async function listWorkers(
  executor: Executor,
  organisation: OrganisationId,
  readers: readonly WorkerId[],
  page: PageRequest,
): Promise<Page<Colleague>> {
  const rows = await executor.query<Colleague>(
    `select ${colleague} ${fromWorkers}
     where w.organisation = $1 and w.dismissed_at is null and ${visibleWorker('w', '$2')}
       and ($3::text is null or w.id > $3) order by w.id limit $4`,
    [organisation, readers, page.cursor ?? null, page.limit + 1],
  );
  return pageOf(rows, page.limit, (worker) => worker.id);
}

/** A Worker with what only some may see of it. */
export type WorkerDetails = Colleague & {
  /** To whose Position its own reports. */
  managers: WorkerId[];
  dismissedAt: Date | null;
  /** Left out unless all readers may hire, or are this Worker. */
  identity?: string;
  identities?: { platform: string; externalId: string }[];
  hiredBy?: WorkerId | null;
};

/**
 * One Worker, as far as all `readers` may see it.
 *
 * @throws NotFoundError when it is unknown, or hidden from one of them: the two are not told apart.
 */
export async function getWorker(
  executor: Executor,
  organisation: OrganisationId,
  readers: readonly WorkerId[],
  id: WorkerId,
): Promise<WorkerDetails> {
  const [found] = await executor.query<Required<WorkerDetails> & { inFull: boolean }>(
    `select ${colleague}, w.dismissed_at as "dismissedAt", w.identity, w.hired_by as "hiredBy",
       (select coalesce(jsonb_agg(m.id order by m.id), '[]') from worker m
         where m.organisation = w.organisation and m.position = p.reports_to and m.dismissed_at is null) as managers,
       (select coalesce(jsonb_agg(jsonb_build_object('platform', i.platform, 'externalId', i.external_id)
                                  order by i.platform, i.external_id), '[]')
         from identity i where i.organisation = w.organisation and i.worker = w.id) as identities,
       not exists (select 1 from unnest($2::text[]) reader(id) where reader.id <> w.id and not exists (
         select 1 from "grant" g where g.organisation = w.organisation and g.worker = reader.id and g.tool = 'hire_worker'
       )) as "inFull"
     ${fromWorkers}
     where w.organisation = $1 and w.id = $3 and ${visibleWorker('w', '$2')}`,
    [organisation, readers, id],
  );
  if (!found) throw unknownWorker(id);
  const { identity, identities, hiredBy, inFull, ...seen } = found;
  return inFull ? { ...seen, identity, identities, hiredBy } : seen;
}

/**
 * The Worker that a person or model means: by id, by id without its `w-`, or by name in any case (names of Workers other than guests
 * are unique).
 *
 * @throws NotFoundError when there is none such, or it was dismissed.
 */
export async function findWorker(
  executor: Executor,
  organisation: OrganisationId,
  reference: string,
): Promise<{ id: WorkerId; name: string; kind: 'human' | 'ai'; guest: boolean }> {
  const [found] = await executor.query<{ id: WorkerId; name: string; kind: 'human' | 'ai'; guest: boolean }>(
    `select w.id, w.name, w.kind, ${isGuest('w')} as guest from worker w
     where w.organisation = $1 and w.dismissed_at is null
       and (w.id = $2 or w.id = 'w-' || lower($2) or (lower(w.name) = lower($2) and not ${isGuest('w')}))
     order by (w.id = $2) desc, (w.id = 'w-' || lower($2)) desc limit 1`,
    [organisation, reference],
  );
  if (!found) throw unknownWorker(reference);
  return found;
}

/** Changes a Worker's identity text, from its next Activation on. */
export async function updateIdentity(
  database: Database,
  organisation: OrganisationId,
  worker: WorkerId,
  content: string,
): Promise<void> {
  await changeOrganisation(database, organisation, async (em) => {
    const found = await em.findOne(WorkerEntity, { organisation, id: worker, dismissedAt: null });
    if (!found) throw unknownWorker(worker);
    found.identity = content;
  });
}

/**
 * True when `manager` hired the Worker, or sits in a Position above its own. Nobody manages itself.
 */
export async function manages(
  executor: Executor,
  organisation: OrganisationId,
  manager: WorkerId,
  worker: WorkerId,
): Promise<boolean> {
  const [row] = await executor.query<{ manages: boolean }>(
    `with recursive above(id) as (
       select p.reports_to from worker w join "position" p on p.organisation = w.organisation and p.id = w.position
       where w.organisation = $1 and w.id = $3
       union
       select p.reports_to from above a join "position" p on p.organisation = $1 and p.id = a.id
     )
     select $2::text <> $3::text and exists (
       select 1 from worker m where m.organisation = $1 and m.id = $2 and m.dismissed_at is null and (
         m.position in (select id from above)
         or exists (select 1 from worker w where w.organisation = $1 and w.id = $3 and w.hired_by = m.id))) as manages`,
    [organisation, manager, worker],
  );
  return row?.manages ?? false;
}

/** The one wording for a Worker that isn't there, or not for the one who asks. */
export function unknownWorker(reference: string): NotFoundError {
  return new NotFoundError(`unknown worker "${reference}": list_workers says whom there is`);
}

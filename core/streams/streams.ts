import { ConflictError, NotFoundError } from '../errors.ts';
import { changeOrganisation } from '../organisation/change-organisation.ts';
import { freeId } from '../organisation/free-id.ts';
import { type Page, type PageRequest, pageOf } from '../organisation/page.ts';
import { isGuest, visibleWorker } from '../organisation/visible-workers.ts';
import type { Database, Executor } from '../store/database.ts';
import { WorkerEntity } from '../store/entities/organisation.ts';
import { BindingEntity, StreamEntity, SubscriptionEntity } from '../store/entities/streams.ts';
import { newId, type OrganisationId, type StreamId, type WorkerId } from '../store/ids.ts';
import { visibleStream } from './visible-streams.ts';

/** How a Stream reaches the outside: mail to and from an alias; the terminal needs nothing. */
export type Transport = { kind: 'mail'; config: { alias: string } } | { kind: 'terminal' };

/** A Stream as those see it who may know of it. */
export interface StreamSummary {
  id: StreamId;
  name: string;
  description: string;
  kind: 'channel' | 'mail' | 'dm' | 'activation';
  defaultWorker: WorkerId | null;
  /** Its places outside, such as the mail alias. */
  bindings: { kind: string; externalId: string }[];
}

/**
 * Makes a Stream and, for mail, its Binding. Its maker is subscribed to it.
 *
 * @throws ConflictError when another Stream has that alias.
 */
export async function createStream(
  database: Database,
  organisation: OrganisationId,
  input: { name: string; description: string; transport?: Transport | undefined; createdBy: WorkerId },
): Promise<{ id: StreamId; kind: 'channel' | 'mail' }> {
  const { name, description, transport, createdBy } = input;
  return await changeOrganisation(database, organisation, async (em) => {
    const id = await freeId('s', name, async (id) => (await em.count(StreamEntity, { organisation, id })) > 0);
    const kind = transport?.kind === 'mail' ? 'mail' : 'channel';
    const stream = em.create(StreamEntity, { organisation, id, name, description, kind, createdBy });
    if (transport?.kind === 'mail') {
      const externalId = transport.config.alias;
      const taken = await em.findOne(BindingEntity, { organisation, kind: 'mail', externalId });
      if (taken) throw new ConflictError(`another stream has the mail alias "${externalId}": choose another alias`);
      em.create(BindingEntity, { organisation, id: newId('b'), stream, kind: 'mail', externalId });
    }
    const worker = await em.findOne(WorkerEntity, { organisation, id: createdBy });
    if (!worker) throw new NotFoundError(`unknown worker "${createdBy}"`);
    em.create(SubscriptionEntity, { organisation, worker, stream, mode: 'all' });
    return { id, kind };
  });
}

const summary = `
  s.id, s.name, s.description, s.kind, s.default_worker as "defaultWorker",
  (select coalesce(jsonb_agg(jsonb_build_object('kind', b.kind, 'externalId', b.external_id) order by b.kind, b.external_id), '[]')
     from binding b where b.organisation = s.organisation and b.stream = s.id) as bindings`;

/** A page of the Streams that all `readers` may know of. */
export async function listStreams(
  executor: Executor,
  organisation: OrganisationId,
  readers: readonly WorkerId[],
  page: PageRequest,
): Promise<Page<StreamSummary>> {
  const rows = await executor.query<StreamSummary>(
    `select ${summary} from stream s
     where s.organisation = $1 and ${visibleStream('s', '$2')} and ($3::text is null or s.id > $3)
     order by s.id limit $4`,
    [organisation, readers, page.cursor ?? null, page.limit + 1],
  );
  return pageOf(rows, page.limit, (stream) => stream.id);
}

/** @throws NotFoundError when the Stream is unknown, or one of `readers` may not know of it: the two are not told apart. */
export async function getStream(
  executor: Executor,
  organisation: OrganisationId,
  readers: readonly WorkerId[],
  id: StreamId,
): Promise<StreamSummary> {
  const [stream] = await executor.query<StreamSummary>(
    `select ${summary} from stream s where s.organisation = $1 and s.id = $3 and ${visibleStream('s', '$2')}`,
    [organisation, readers, id],
  );
  if (!stream) throw unknownStream(id);
  return stream;
}

/** Somebody who listens to a Stream. */
export interface StreamMember {
  worker: WorkerId;
  name: string;
  kind: 'human' | 'ai';
  guest: boolean;
  /** Null: not subscribed, but asked when nobody else is. */
  mode: 'all' | 'mentions' | null;
  defaultWorker: boolean;
}

/** A page of the subscribers and the default Worker of a Stream, as far as all `readers` may see them. */
export async function streamMembers(
  executor: Executor,
  organisation: OrganisationId,
  readers: readonly WorkerId[],
  stream: StreamId,
  page: PageRequest,
): Promise<Page<StreamMember>> {
  await getStream(executor, organisation, readers, stream);
  const rows = await executor.query<StreamMember>(
    `select w.id as worker, w.name, w.kind, ${isGuest('w')} as guest, b.mode, w.id = s.default_worker as "defaultWorker"
     from stream s
       join worker w on w.organisation = s.organisation and w.dismissed_at is null
       left join subscription b on b.organisation = s.organisation and b.stream = s.id and b.worker = w.id
     where s.organisation = $1 and s.id = $3 and (b.worker is not null or w.id = s.default_worker)
       and ${visibleWorker('w', '$2')} and ($4::text is null or w.id > $4)
     order by w.id limit $5`,
    [organisation, readers, stream, page.cursor ?? null, page.limit + 1],
  );
  return pageOf(
    rows.map((row) => ({ ...row, defaultWorker: row.defaultWorker ?? false })),
    page.limit,
    (member) => member.worker,
  );
}

/** The one wording for a Stream that isn't there, or not for the one who asks. */
export function unknownStream(id: string): NotFoundError {
  return new NotFoundError(`unknown stream "${id}": list_streams says which there are`);
}

import { type BatchOutcome, batching, oncePer } from '../store/batching.ts';
import type { Database, Executor } from '../store/database.ts';
import { newId, type OrganisationId, type WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { isGuest } from './visible-workers.ts';

/** A Worker's id on a platform: a Slack user, an Entra user, a mail address. */
export interface Identity {
  platform: string;
  externalId: string;
}

const longestName = 100;

const lookupsOf = oncePer((database: Database) =>
  batching((lookups: Lookup[]) => findKnown(database, lookups), { atMost: 64, inFlight: 2 }),
);

interface Lookup extends Identity {
  organisation: OrganisationId;
}

/**
 * The Worker behind the sender of a message; one not seen before becomes a guest. Senders that are looked for at the same time are
 * looked for together.
 */
export async function findSender(
  database: Database,
  organisation: OrganisationId,
  sender: Identity & { name: string },
): Promise<WorkerId> {
  const { platform, externalId } = sender;
  const known = await lookupsOf(database)({ organisation, platform, externalId });
  return known ?? (await findOrMakeGuest(database, organisation, sender));
}

async function findKnown(database: Database, lookups: Lookup[]): Promise<BatchOutcome<WorkerId | null>[]> {
  const rows = await database.query<{ worker: WorkerId | null }>(
    `select i.worker from json_to_recordset($1::json) x(n int, organisation text, platform text, "externalId" text)
     left join identity i on i.organisation = x.organisation and i.platform = x.platform and i.external_id = x."externalId"
     order by x.n`,
    [toJson(lookups.map((lookup, n) => ({ n, ...lookup })))],
  );
  return rows.map(({ worker }) => ({ value: worker }));
}

/**
 * The Worker behind an Identity; one not seen before becomes a guest: a human without a Position and without Grants. One round trip
 * for who is known. Safe against another process doing the same at the same time: both get one guest.
 */
export async function findOrMakeGuest(
  executor: Executor,
  organisation: OrganisationId,
  sender: Identity & { name: string },
): Promise<WorkerId> {
  const { platform, externalId } = sender;
  const known = await findByIdentity(executor, organisation, { platform, externalId });
  if (known) return known;
  const id: WorkerId = `w-guest-${newId('w').slice(2)}`;
  // A guest that gave itself a colleague's name goes by its address instead.
  const [made] = await executor.query<{ worker: WorkerId }>(
    `with i as (
       insert into identity (organisation, platform, external_id, worker) values ($1, $2, $3, $4)
       on conflict do nothing returning worker
     ), w as (
       insert into worker (organisation, id, name, kind)
       select $1, i.worker, case when exists (
           select 1 from worker c where c.organisation = $1 and lower(c.name) = lower($5) and not ${isGuest('c')}
         ) then $3 else $5 end, 'human' from i
     )
     select worker from i`,
    [organisation, platform, externalId, id, guestName(sender)],
  );
  if (made) return made.worker;
  const other = await findByIdentity(executor, organisation, { platform, externalId });
  if (!other) throw new Error(`an identity of ${platform} was neither found nor made`);
  return other;
}

async function findByIdentity(
  executor: Executor,
  organisation: OrganisationId,
  identity: Identity,
): Promise<WorkerId | undefined> {
  const [row] = await executor.query<{ worker: WorkerId }>(
    `select worker from identity where organisation = $1 and platform = $2 and external_id = $3`,
    [organisation, identity.platform, identity.externalId],
  );
  return row?.worker;
}

/** One line without control characters. */
function guestName(sender: Identity & { name: string }): string {
  const name = sender.name
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, longestName);
  return name || sender.externalId;
}

/**
 * Says that an Identity is a Worker's from now on (pairing). If a guest was known by it, the Worker takes the guest's place in its
 * Threads, and the guest remains as the author of what it said.
 */
export async function linkIdentity(
  executor: Executor,
  organisation: OrganisationId,
  worker: WorkerId,
  identity: Identity,
): Promise<void> {
  await executor.query(
    `with before as (
       select i.worker from identity i join worker w on w.organisation = i.organisation and w.id = i.worker
       where i.organisation = $1 and i.platform = $2 and i.external_id = $3 and i.worker <> $4 and ${isGuest('w')}
     ), joined as (
       insert into participant (organisation, thread, worker)
       select $1, p.thread, $4 from participant p join before b on b.worker = p.worker where p.organisation = $1
       on conflict do nothing
     )
     insert into identity (organisation, platform, external_id, worker) values ($1, $2, $3, $4)
     on conflict (organisation, platform, external_id) do update set worker = excluded.worker`,
    [organisation, identity.platform, identity.externalId, worker],
  );
}

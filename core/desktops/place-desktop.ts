import { ConflictError } from '../errors.ts';
import type { Executor } from '../store/database.ts';
import type { HostId, OrganisationId } from '../store/ids.ts';

/** A Host that has said nothing for so long, by the database's clock, has lost its Desktops (issue: silent for 30 s). */
export const hostSilentSeconds = 30;

/** SQL: whether the Host `host` is there. */
export function isAlive(host: string): string {
  return `${host}.last_seen_at > now() - interval '${hostSilentSeconds} s'`;
}

/** The advisory lock under which Desktops are placed, one at a time in all core processes: "desk" in ASCII. */
const placementLock = 0x6465736b;

/** Takes the lock until the transaction ends: what is counted under it stays so. */
export async function lockPlacement(tx: Executor): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [placementLock]);
}

/** What there is and what of it is taken. */
interface Room {
  /** Of the Organisation's own. */
  running: number;
  /** Of all on the Hosts that are there and work. */
  placed: number;
  capacity: number;
  hosts: number;
  /** Why a Host that is there cannot run Desktops; null: none has said so. */
  trouble: string | null;
  /** The Host to take; null: none has room. */
  host: HostId | null;
}

/**
 * A Host for one more Desktop of the Organisation: the one that had it last, where its home may lie, else the one with the most room. Call
 * it under {@link lockPlacement}, before anything is provisioned.
 *
 * @param limit how many the Organisation may have running
 * @throws ConflictError (`desktops_full`) with the counts, or `no_host` when no Host is there that can run one.
 */
export async function chooseHost(
  tx: Executor,
  organisation: OrganisationId,
  wanted: { limit: number; last: HostId | null },
): Promise<HostId> {
  const [room] = await tx.query<Room>(
    `with placed as (
       select host, count(*) as n from desktop where desired = 'running' and host is not null group by host
     ), alive as materialized (
       select h.id, h.capacity, coalesce(p.n, 0) as n, h.drivers,
         exists (select 1 from jsonb_array_elements(h.drivers) x where (x->>'works')::boolean) as works
       from host h left join placed p on p.host = h.id where ${isAlive('h')}
     )
     select
       (select count(*) from desktop where organisation = $1 and desired = 'running') as running,
       (select coalesce(sum(n), 0) from alive where works) as placed,
       (select coalesce(sum(capacity), 0) from alive where works) as capacity,
       (select count(*) from alive where works) as hosts,
       (select x->>'detail' from alive, jsonb_array_elements(drivers) x where not works and x->>'detail' <> '' limit 1) as trouble,
       (select id from alive where works and n < capacity
         order by id is not distinct from $2 desc, capacity - n desc, id limit 1) as host`,
    [organisation, wanted.last],
  );
  if (!room) throw new Error('chooseHost: the query always gives one row');
  const { running, placed, capacity, hosts, trouble, host } = room;
  if (running >= wanted.limit) throw full(running, wanted.limit);
  if (hosts === 0)
    throw new ConflictError(
      trouble === null
        ? 'no sandbox host is connected, so that no desktop can run: start one with `npm run host`'
        : `the sandbox host cannot run desktops: ${trouble} (\`npx switchboard host doctor\` says more)`,
      'no_host',
    );
  if (!host) throw full(placed, capacity);
  return host;
}

function full(running: number, limit: number): ConflictError {
  return new ConflictError(
    `${running} of ${limit} desktops are running: stop one (\`desktop stop\` in its thread), or wait until one has been idle for long enough`,
    'desktops_full',
  );
}

import { DatabaseError } from 'pg';
import type { Executor, Statement } from '../store/database.ts';
import type { OrganisationId, StreamId, ThreadId } from '../store/ids.ts';

/** What queues in a Lane: Activations of a Worker, or Deliveries to a Binding. */
export type LaneKind = 'activation' | 'delivery';

/** Which Lane. */
export interface LaneKey {
  organisation: OrganisationId;
  kind: LaneKind;
  owner: string;
  thread: ThreadId;
}

/** A claimed Lane. Whoever commits its work says the `fence` it was claimed with; a later claim has raised it. */
export interface Lane extends LaneKey {
  fence: number;
  /** The holder before let its lease run out: what it was doing may have happened or not. */
  takenOver: boolean;
}

/** How long a claim lasts without a heartbeat, and how often the heart beats (design rule 6). */
export const leaseSeconds = 15;
export const heartbeatMs = 5000;

/** How many Deliveries of one Binding go out at once. Activations: the Worker's `concurrency`. */
export const deliveriesAtOnce = 8;

/**
 * Claims up to `limit` Lanes in which something is ready, or whose holder has let its lease run out. Each claim raises the
 * Lane's fence. No owner gets more than its share at once (a Worker its `concurrency`, to be checked again under the Worker's
 * row lock), and an owner with a long queue does not starve the others: the owners are walked by the index, not the queue.
 * Some of its conditions say the same twice, and one hides from an index: without them the planner, asked when the table was empty, has
 * it walk through the queue after all.
 */
export async function claimLanes(executor: Executor, kind: LaneKind, holder: string, limit: number): Promise<Lane[]> {
  if (limit <= 0) return [];
  return await executor.query<Lane>(
    `with recursive owners as (
       (select organisation, owner from lane where kind = $1 and ready_at <= now() order by organisation, owner, ready_at limit 1)
       union all
       select n.organisation, n.owner from owners o cross join lateral (
         select organisation, owner from lane
         where kind = $1 and ready_at <= now() and (organisation, owner) > (o.organisation, o.owner)
         order by organisation, owner, ready_at limit 1) n
     ), room as (
       select o.organisation, o.owner,
         coalesce((select w.concurrency from worker w where $1 = 'activation' and w.organisation = o.organisation and w.id = o.owner), $5)
         - (select count(*) from lane b where b.kind = $1 and b.organisation = o.organisation and b.owner = o.owner
              and b.ready_at > now() and b.lease_until > now()) as free
       from owners o
     ), candidate as (
       select c.organisation, c.owner, c.thread from room cross join lateral (
         select l.organisation, l.owner, l.thread, l.ready_at from lane l
         where l.kind = $1 and l.organisation = room.organisation and l.owner = room.owner and l.ready_at <= now()
         order by l.ready_at limit greatest(room.free, 0)) c
       order by c.ready_at limit $3
     ), chosen as (
       select c.organisation, c.owner, c.thread, l.taken_over from candidate c cross join lateral (
         select lease_until is not null as taken_over from lane
         where organisation = c.organisation and kind = $1 and owner = c.owner and thread = c.thread
           and coalesce(ready_at <= now(), false) for update skip locked) l
     )
     update lane set fence = lane.fence + 1, holder = $2,
       lease_until = now() + make_interval(secs => $4), ready_at = now() + make_interval(secs => $4)
     from chosen c
     where lane.organisation = c.organisation and lane.kind = $1 and lane.owner = c.owner and lane.thread = c.thread
       and lane.organisation = any (array(select organisation from chosen)) and lane.owner = any (array(select owner from chosen))
       and lane.thread = any (array(select thread from chosen))
     returning lane.organisation, lane.kind, lane.owner, lane.thread, lane.fence, c.taken_over as "takenOver"`,
    [kind, holder, limit, leaseSeconds, deliveriesAtOnce],
  );
}

/** What {@link claimLane}'s statement answers with: no row when the Lane cannot be had now. */
export type Claimed = Pick<Lane, 'fence' | 'takenOver'>;

/**
 * The statement that claims one Lane as {@link claimLanes} would, to be sent with what is to be done first. `holder` must be a name
 * of this very claim: the statements behind it know it before they know the fence ({@link heldBy}).
 */
export function claimLane(key: LaneKey, holder: string): Statement {
  return [
    `with room as (
       select coalesce((select w.concurrency from worker w where $2 = 'activation' and w.organisation = $1 and w.id = $3), $7)
         - (select count(*) from lane b where b.kind = $2 and b.organisation = $1 and b.owner = $3
              and b.ready_at > now() and b.lease_until > now()) as free
     ), chosen as (
       select l.lease_until is not null as taken_over from lane l
       where l.organisation = $1 and l.kind = $2 and l.owner = $3 and l.thread = $4 and l.ready_at <= now()
         and (select free from room) > 0 for update skip locked
     )
     update lane set fence = lane.fence + 1, holder = $5,
       lease_until = now() + make_interval(secs => $6), ready_at = now() + make_interval(secs => $6)
     from chosen c
     where lane.organisation = $1 and lane.kind = $2 and lane.owner = $3 and lane.thread = $4
     returning lane.fence, c.taken_over as "takenOver"`,
    [key.organisation, key.kind, key.owner, key.thread, holder, leaseSeconds, deliveriesAtOnce],
  ];
}

/** By what a statement knows that its Lane is held: the fence, or, where the claim is sent along with it, the holder's name. */
export type Hold = LaneKey & ({ fence: number } | { holder: string });

/** The values of `heldBy` for {@link heldBy}'s SQL: fence and holder, one of them null. */
export function holdOf(hold: Hold): [number | null, string | null] {
  return 'fence' in hold ? [hold.fence, null] : [null, hold.holder];
}

/** SQL: whether the row `lane` is held as said by two parameters that carry {@link holdOf}'s values, and its lease has not run out. */
export function heldBy(fence: string, holder: string): string {
  return `((lane.fence = ${fence}::int or lane.holder = ${holder}::text) and lane.lease_until > clock_timestamp())`;
}

/**
 * The statement that locks the Lane's row for the transaction in which the work is committed, or makes that transaction fail
 * ({@link isLeaseLost}), so that what is sent behind it has no effect. The Stream's row is locked before, if one is named (lock order
 * everywhere: Stream, Lane, Worker).
 */
export function lockLaneOrFail(lane: Lane, stream: StreamId | null = null): Statement {
  return [
    `with s as materialized (select 1 from stream where organisation = $1 and id = $6 for update),
     l as materialized (
       select 1 from lane where organisation = $1 and kind = $2 and owner = $3 and thread = $4 and fence = $5
         and ($6::text is null or exists (select 1 from s)) and lease_until > clock_timestamp() for update
     )
     select 1 / (select count(*) from l)`,
    [...keyOf(lane), lane.fence, stream],
  ];
}

/** Whether a transaction failed because {@link lockLaneOrFail} found that the Lane is somebody else's (SQLSTATE 22012). */
export function isLeaseLost(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '22012';
}

/** Prolongs the lease. False: it was lost, and nothing of this holder's work may be committed. */
export async function extendLease(executor: Executor, lane: Lane): Promise<boolean> {
  const rows = await executor.query(
    `update lane set lease_until = now() + make_interval(secs => $6), ready_at = now() + make_interval(secs => $6)
     where organisation = $1 and kind = $2 and owner = $3 and thread = $4 and fence = $5 and lease_until > clock_timestamp()
     returning 1`,
    [...keyOf(lane), lane.fence, leaseSeconds],
  );
  return rows.length > 0;
}

/**
 * Locks the Lane's row if it is still held under this fence and its lease has not run out, for the transaction in which the work
 * is committed. Lock order everywhere: Stream, Lane, Worker. False: commit nothing.
 */
export async function lockHeldLane(tx: Executor, lane: Lane): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from lane where organisation = $1 and kind = $2 and owner = $3 and thread = $4 and fence = $5
       and lease_until > clock_timestamp() for update`,
    [...keyOf(lane), lane.fence],
  );
  return rows.length > 0;
}

/**
 * Gives the Lane back. `delaySeconds`: when somebody may claim it next (0 is now), null when there is nothing to do. Must run in
 * a transaction that holds the Lane's row, by a statement after the lock: only then has everything appended meanwhile been seen.
 */
export async function releaseLane(tx: Executor, lane: Lane, delaySeconds: number | null): Promise<void> {
  await tx.query(
    `update lane set lease_until = null, holder = null, ready_at = now() + make_interval(secs => $6)
     where organisation = $1 and kind = $2 and owner = $3 and thread = $4 and fence = $5`,
    [...keyOf(lane), lane.fence, delaySeconds],
  );
}

/**
 * Gives a Lane of Activations back, to be claimed after `delaySeconds` if something is still open in it. Like {@link releaseLane}, a
 * statement of its own after the Lane's lock: it sees every Trigger that was appended meanwhile. Its row says whether something is open.
 */
export function releaseActivationLane(lane: Lane, delaySeconds = 0): Statement {
  return [
    `update lane set lease_until = null, holder = null, ready_at = case when
         exists (select 1 from trigger where organisation = $1 and worker = $2 and thread = $3 and state = 'waiting')
         or exists (select 1 from activation where organisation = $1 and worker = $2 and thread = $3
                      and state in ('running', 'waiting')) then now() + make_interval(secs => $5) end
     where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3 and fence = $4
     returning ready_at is not null as "isOpen"`,
    [lane.organisation, lane.owner, lane.thread, lane.fence, delaySeconds],
  ];
}

/** Seconds until the next Lane of this kind becomes claimable by the passing of time alone; null when none does within an hour. */
export async function secondsUntilReady(executor: Executor, kind: LaneKind): Promise<number | null> {
  const [row] = await executor.query<{ seconds: number | null }>(
    `select extract(epoch from min(ready_at) - clock_timestamp())::float8 as seconds from lane
     where kind = $1 and ready_at > clock_timestamp() and ready_at < now() + interval '1 hour'`,
    [kind],
  );
  return row?.seconds ?? null;
}

function keyOf(lane: Lane): [string, string, string, string] {
  return [lane.organisation, lane.kind, lane.owner, lane.thread];
}

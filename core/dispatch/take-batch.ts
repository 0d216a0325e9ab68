import type { Core } from '../core.ts';
import type { Step } from '../runtimes/runtime.ts';
import type { Database, Statement } from '../store/database.ts';
import { type ActivationId, type EventId, newId, type StreamId, type WorkerId } from '../store/ids.ts';
import { type BriefRows, readBrief } from './brief.ts';
import {
  type Claimed,
  claimLane,
  type Hold,
  heldBy,
  holdOf,
  type Lane,
  type LaneKey,
  lockHeldLane,
  releaseActivationLane,
} from './lane.ts';
import { activationStreamOf } from './steps.ts';

/** An Activation that this process now runs: a new one, or one that an earlier attempt left unfinished. */
export interface Taken {
  id: ActivationId;
  worker: WorkerId;
  stream: StreamId;
  hops: number;
  origin: EventId;
  failures: number;
  lostLeases: number;
  waitingSeconds: number | null;
  cancelled: boolean;
  /** An earlier attempt has begun it. */
  resumed: boolean;
  /** From the append of the oldest Event of the batch to now; null for another attempt. */
  waitedSeconds: number | null;
  /** What earlier attempts stored. */
  steps: Step[];
}

/** At most so many Triggers, and so many bytes of bodies, are handed over together (design rule 4). */
export const batchLimit = 20;
export const batchBytes = 32 * 1024;

/** How long a Lane waits that was claimed although its Worker already ran as much as it may: another process was a moment faster. */
const fullDelaySeconds = 0.1;

/** What {@link take} answers with: one row, of a Lane that is held or not. */
interface TakeRow {
  held: boolean;
  /** The Activation that an earlier attempt left. */
  found: (Omit<Taken, 'steps' | 'waitedSeconds' | 'resumed'> & { steps: { kind: string; content: Step }[] }) | null;
  /** The Worker runs as much as it may. */
  reached: boolean | null;
  taken: Pick<Taken, 'stream' | 'hops' | 'origin' | 'waitedSeconds'> | null;
}

/** What was taken from a Lane, and, of a new Activation, what its Worker is to know: read in the same round trip. */
export interface Batch {
  taken: Taken;
  briefed: BriefRows | null;
}

/**
 * Takes what waits in a claimed Lane: the unfinished Activation if there is one, else a new one for the waiting Triggers, in order
 * and capped. Null: there is nothing to do here now, and the Lane has been given back.
 */
export async function takeBatch(database: Database, lane: Lane): Promise<Batch | null> {
  const id = newId('a');
  // One round trip: each statement begins when the one before it holds its locks, and takes nothing where it may not. What the
  // Worker is to know is read behind the commit, when the locks are gone.
  const [[, , [row]], briefed] = await database.transaction((tx) =>
    Promise.all([
      tx.commitWith<[never, never, TakeRow]>(lockLane(lane), lockWorker(lane), take(lane, id)),
      readBrief(tx, lane, id).catch(() => null),
    ]),
  );
  return await batchOf(database, lane, id, row, briefed);
}

/** {@link takeBatch} of a Lane that is claimed along with it. Null: it cannot be had now, or there is nothing to do. */
export async function claimBatch(
  core: Pick<Core, 'database' | 'processName'>,
  key: LaneKey,
): Promise<(Batch & { lane: Lane }) | null> {
  const id = newId('a');
  const holder = `${core.processName}:${id}`;
  // The Worker's row first: of those who begin at the same time each sees the ones before it. (A claim waits for no lock.)
  const [[, [claimed], [row]], briefed] = await core.database.transaction((tx) =>
    Promise.all([
      tx.commitWith<[never, Claimed, TakeRow]>(lockWorker(key), claimLane(key, holder), take({ ...key, holder }, id)),
      // What cannot be read here is read again, where its failure is the Activation's.
      readBrief(tx, key, id).catch(() => null),
    ]),
  );
  if (!claimed) return null;
  const lane: Lane = { ...key, ...claimed };
  const batch = await batchOf(core.database, lane, id, row, briefed);
  return batch && { ...batch, lane };
}

async function batchOf(
  database: Database,
  lane: Lane,
  id: ActivationId,
  row: TakeRow | undefined,
  briefed: BriefRows | null,
): Promise<Batch | null> {
  if (!row?.held) return null;
  if (row.found) {
    const steps = row.found.steps.map(({ kind, content }) => ({ ...content, kind }) as Step);
    return { taken: { ...row.found, resumed: true, waitedSeconds: null, steps }, briefed: null };
  }
  if (!row.taken) {
    await giveBackUnused(database, lane, row.reached ?? false);
    return null;
  }
  const taken: Taken = {
    id,
    worker: lane.owner as WorkerId,
    ...row.taken,
    resumed: false,
    failures: 0,
    lostLeases: 0,
    waitingSeconds: null,
    cancelled: false,
    steps: [],
  };
  return { taken, briefed };
}

/** What is taken is to be seen by a statement of its own behind this lock. */
function lockLane(lane: Lane): Statement {
  return [
    `select 1 from lane where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3 and fence = $4 for update`,
    [lane.organisation, lane.owner, lane.thread, lane.fence],
  ];
}

/** Under this lock two processes cannot both take a Worker's last place. */
function lockWorker({ organisation, owner }: LaneKey): Statement {
  return [`select from worker where organisation = $1 and id = $2 for update`, [organisation, owner]];
}

/**
 * Goes on with what an earlier attempt left in a Lane that is ours and whose row is locked; else makes a new Activation, if its Worker has
 * room.
 */
function take(hold: Hold, id: ActivationId): Statement {
  const [fence, holder] = holdOf(hold);
  const stream = activationStreamOf(hold.owner as WorkerId);
  return [
    `with held as materialized (
       select 1 from lane where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3 and ${heldBy('$7', '$9')}
     ), unfinished as materialized (
       select id from activation where organisation = $1 and worker = $2 and thread = $3 and state in ('running', 'waiting')
         and exists (select 1 from held) order by created_at, id limit 1
     ), resumed as (
       update activation a set state = 'running', lost_leases = a.lost_leases + (a.state = 'running')::int
       from unfinished where a.organisation = $1 and a.id = unfinished.id returning a.*
     ), may as (
       select w.concurrency from worker w where w.organisation = $1 and w.id = $2 and w.dismissed_at is null
         and exists (select 1 from held) and not exists (select 1 from unfinished)
     ), others as (
       select count(*) >= (select concurrency from may) as reached from activation a join lane l
         on l.organisation = a.organisation and l.kind = 'activation' and l.owner = a.worker and l.thread = a.thread
       where a.organisation = $1 and a.worker = $2 and a.state = 'running' and l.lease_until > now()
     ), waiting as (
       select event, position from trigger
       where organisation = $1 and worker = $2 and thread = $3 and state = 'waiting' and (select not reached from others)
       order by position limit $5
     ), sized as (
       select w.event, e.stream, e.position, e.hops, e.origin, e.created_at,
         row_number() over (order by w.position) as n, sum(octet_length(e.body)) over (order by w.position) as bytes
       from waiting w join event e on e.organisation = $1 and e.id = w.event
     ), batch as (
       select * from sized where n = 1 or bytes <= $6
     ), t as (
       update trigger set state = 'taken', activation = $4 from batch
       where trigger.organisation = $1 and trigger.worker = $2 and trigger.event = batch.event
     ), head as (
       select stream, hops, origin from batch order by hops desc, position desc limit 1
     ), a as (
       insert into activation (organisation, id, worker, stream, thread, hops, origin)
       select $1, $4, $2, head.stream, $3, head.hops + 1, head.origin from head
       returning stream, hops, origin
     ), s as (
       update stream set position = position + 1 from a where stream.organisation = $1 and stream.id = $8
       returning stream.position, a.stream as thread_stream
     ), st as (
       insert into step (organisation, activation, number, stream, position, kind, content)
       select $1, $4, 1, $8, s.position, 'start', jsonb_build_object('thread', $3::text, 'stream', s.thread_stream) from s
     )
     select exists (select 1 from held) as held, (
       select jsonb_build_object('id', r.id, 'worker', r.worker, 'stream', r.stream, 'hops', r.hops, 'origin', r.origin,
         'failures', r.failures, 'lostLeases', r.lost_leases, 'cancelled', r.cancel_requested_at is not null,
         'waitingSeconds', extract(epoch from now() - r.waiting_since)::float8,
         'steps', coalesce((select jsonb_agg(jsonb_build_object('kind', s.kind, 'content', s.content) order by s.number) from step s
            where s.organisation = $1 and s.activation = r.id and s.kind in ('text', 'tool_call', 'tool_result')), '[]'))
       from resumed r) as found, (select reached from others) as reached, (
       select jsonb_build_object('stream', stream, 'hops', hops, 'origin', origin,
         'waitedSeconds', extract(epoch from clock_timestamp() - (select min(created_at) from batch))::float8) from a) as taken`,
    [hold.organisation, hold.owner, hold.thread, id, batchLimit, batchBytes, fence, stream, holder],
  ];
}

/** A Lane in which there was nothing to take. What waits for a Worker that was dismissed is over. */
async function giveBackUnused(database: Database, lane: Lane, reached: boolean): Promise<void> {
  const key = [lane.organisation, lane.owner, lane.thread];
  await database.transaction(async (tx) => {
    if (!(await lockHeldLane(tx, lane))) return;
    await tx.commitWith(
      [
        `update trigger set state = 'cancelled' where organisation = $1 and worker = $2 and thread = $3 and state = 'waiting'
           and not exists (select 1 from worker w where w.organisation = $1 and w.id = $2 and w.dismissed_at is null)`,
        key,
      ],
      releaseActivationLane(lane, reached ? fullDelaySeconds : 0),
    );
  });
}

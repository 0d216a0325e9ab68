import type { Core } from '../core.ts';
import type { Step } from '../runtimes/runtime.ts';
import type { Database, Statement, Statements } from '../store/database.ts';
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

interface Locked {
  held: boolean;
  found: (Omit<Taken, 'steps' | 'waitedSeconds'> & { steps: { kind: string; content: Step }[] }) | null;
}

interface Waiting {
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
  const [[locked, , waiting], briefed] = await database.transaction((tx) =>
    Promise.all([tx.commitWith<TakeRows>(...takeStatements(lane, id)), readBrief(tx, lane, id).catch(() => null)]),
  );
  return await batchOf(database, lane, id, locked, waiting, briefed);
}

/** {@link takeBatch} of a Lane that is claimed along with it. Null: it cannot be had now, or there is nothing to do. */
export async function claimBatch(
  core: Pick<Core, 'database' | 'processName'>,
  key: LaneKey,
): Promise<(Batch & { lane: Lane }) | null> {
  const id = newId('a');
  const holder = `${core.processName}:${id}`;
  // The Worker's row first: of those who begin at the same time each sees the ones before it. (A claim waits for no lock.)
  const [[, [claimed], locked, , waiting], briefed] = await core.database.transaction((tx) =>
    Promise.all([
      tx.commitWith<[never, Claimed, ...TakeRows]>(
        lockWorker(key),
        claimLane(key, holder),
        ...takeStatements({ ...key, holder }, id),
      ),
      // What cannot be read here is read again, where its failure is the Activation's.
      readBrief(tx, key, id).catch(() => null),
    ]),
  );
  if (!claimed) return null;
  const lane: Lane = { ...key, ...claimed };
  const batch = await batchOf(core.database, lane, id, locked, waiting, briefed);
  return batch && { ...batch, lane };
}

type TakeRows = [Locked, never, Waiting];

function takeStatements(hold: Hold, id: ActivationId): Statements<TakeRows> {
  return [lockLane(hold), lockWorker(hold), takeWaiting(hold, id)];
}

async function batchOf(
  database: Database,
  lane: Lane,
  id: ActivationId,
  [locked]: Locked[],
  [waiting]: Waiting[],
  briefed: BriefRows | null,
): Promise<Batch | null> {
  if (!locked?.held) return null;
  if (locked.found) {
    const steps = locked.found.steps.map(({ kind, content }) => ({ ...content, kind }) as Step);
    return { taken: { ...locked.found, waitedSeconds: null, steps }, briefed: null };
  }
  if (!waiting?.taken) {
    await giveBackUnused(database, lane, waiting?.reached ?? false);
    return null;
  }
  const taken: Taken = {
    id,
    worker: lane.owner as WorkerId,
    ...waiting.taken,
    failures: 0,
    lostLeases: 0,
    waitingSeconds: null,
    cancelled: false,
    steps: [],
  };
  return { taken, briefed };
}

/** Locks the Lane's row, if it is still ours, and goes on with what an earlier attempt left. */
function lockLane(hold: Hold): Statement {
  return [
    `with held as (
       select 1 from lane where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3
         and ${heldBy('$4', '$5')} for update
     ), a as (
       update activation a set state = 'running', lost_leases = a.lost_leases + (a.state = 'running')::int
       where a.organisation = $1 and exists (select 1 from held) and a.id = (
         select id from activation where organisation = $1 and worker = $2 and thread = $3 and state in ('running', 'waiting')
         order by created_at, id limit 1)
       returning a.*
     )
     select exists (select 1 from held) as held, (
       select jsonb_build_object('id', a.id, 'worker', a.worker, 'stream', a.stream, 'hops', a.hops, 'origin', a.origin,
         'failures', a.failures, 'lostLeases', a.lost_leases, 'cancelled', a.cancel_requested_at is not null,
         'waitingSeconds', extract(epoch from now() - a.waiting_since)::float8,
         'steps', coalesce((select jsonb_agg(jsonb_build_object('kind', s.kind, 'content', s.content) order by s.number) from step s
            where s.organisation = $1 and s.activation = a.id and s.kind in ('text', 'tool_call', 'tool_result')), '[]')) from a) as found`,
    [hold.organisation, hold.owner, hold.thread, ...holdOf(hold)],
  ];
}

/** Under this lock two processes cannot both take a Worker's last place. */
function lockWorker({ organisation, owner }: LaneKey): Statement {
  return [`select from worker where organisation = $1 and id = $2 for update`, [organisation, owner]];
}

/** A new Activation, if the Lane is ours, has none and its Worker has room. `reached`: it runs as much as it may. */
function takeWaiting(hold: Hold, id: ActivationId): Statement {
  const [fence, holder] = holdOf(hold);
  const stream = activationStreamOf(hold.owner as WorkerId);
  return [
    `with may as (
       select w.concurrency from worker w where w.organisation = $1 and w.id = $2 and w.dismissed_at is null
         and exists (select 1 from lane where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3
           and ${heldBy('$7', '$9')})
         and not exists (select 1 from activation where organisation = $1 and worker = $2 and thread = $3 and state in ('running', 'waiting'))
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
     select (select reached from others) as reached, (
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

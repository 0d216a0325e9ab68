import type { Step } from '../runtimes/runtime.ts';
import type { Database, Executor } from '../store/database.ts';
import { type ActivationId, type EventId, newId, type StreamId, type WorkerId } from '../store/ids.ts';
import { type Lane, lockHeldLane, releaseLane } from './lane.ts';
import { addStep } from './steps.ts';

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

/** How long a Lane waits when its Worker already runs as much as it may. */
const fullDelaySeconds = 1;

/**
 * Takes what waits in a claimed Lane: the unfinished Activation if there is one, else a new one for the waiting Triggers, in order
 * and capped. Null: there is nothing to do here now, and the Lane has been given back.
 */
export async function takeBatch(database: Database, lane: Lane): Promise<Taken | null> {
  return await database.transaction(async (tx) => {
    if (!(await lockHeldLane(tx, lane))) return null;
    return (await takeUnfinished(tx, lane)) ?? (await takeWaiting(tx, lane));
  });
}

async function takeUnfinished(tx: Executor, lane: Lane): Promise<Taken | null> {
  const [found] = await tx.query<Omit<Taken, 'steps' | 'waitedSeconds'>>(
    `update activation a set state = 'running', lost_leases = a.lost_leases + (a.state = 'running')::int
     where a.organisation = $1 and a.id = (
       select id from activation where organisation = $1 and worker = $2 and thread = $3 and state in ('running', 'waiting')
       order by created_at, id limit 1)
     returning a.id, a.worker, a.stream, a.hops, a.origin, a.failures, a.lost_leases as "lostLeases",
       extract(epoch from now() - a.waiting_since)::float8 as "waitingSeconds", a.cancel_requested_at is not null as cancelled`,
    [lane.organisation, lane.owner, lane.thread],
  );
  if (!found) return null;
  const steps = await tx.query<{ kind: string; content: Step }>(
    `select kind, content from step where organisation = $1 and activation = $2 and kind in ('text', 'tool_call', 'tool_result')
     order by number`,
    [lane.organisation, found.id],
  );
  return { ...found, waitedSeconds: null, steps: steps.map((step) => ({ ...step.content, kind: step.kind }) as Step) };
}

async function takeWaiting(tx: Executor, lane: Lane): Promise<Taken | null> {
  const [worker] = await tx.query<{ concurrency: number; dismissed: boolean }>(
    `select concurrency, dismissed_at is not null as dismissed from worker where organisation = $1 and id = $2 for update`,
    [lane.organisation, lane.owner],
  );
  if (!worker || worker.dismissed) {
    await tx.query(
      `update trigger set state = 'cancelled' where organisation = $1 and worker = $2 and thread = $3 and state = 'waiting'`,
      [lane.organisation, lane.owner, lane.thread],
    );
    await releaseLane(tx, lane, null);
    return null;
  }
  const [others] = await tx.query<{ running: number }>(
    `select count(*) as running from activation a join lane l
       on l.organisation = a.organisation and l.kind = 'activation' and l.owner = a.worker and l.thread = a.thread
     where a.organisation = $1 and a.worker = $2 and a.state = 'running' and l.lease_until > now()`,
    [lane.organisation, lane.owner],
  );
  if ((others?.running ?? 0) >= worker.concurrency) {
    await releaseLane(tx, lane, fullDelaySeconds);
    return null;
  }
  const id = newId('a');
  const [taken] = await tx.query<{ stream: StreamId; hops: number; origin: EventId; waitedSeconds: number }>(
    `with waiting as (
       select event, position from trigger
       where organisation = $1 and worker = $2 and thread = $3 and state = 'waiting' order by position limit $5
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
     )
     insert into activation (organisation, id, worker, stream, thread, hops, origin)
     select $1, $4, $2, head.stream, $3, head.hops + 1, head.origin from head
     returning stream, hops, origin,
       extract(epoch from clock_timestamp() - (select min(created_at) from batch))::float8 as "waitedSeconds"`,
    [lane.organisation, lane.owner, lane.thread, id, batchLimit, batchBytes],
  );
  if (!taken) {
    await releaseLane(tx, lane, null);
    return null;
  }
  await addStep(tx, lane, id, 'start', { thread: lane.thread, stream: taken.stream });
  return {
    id,
    worker: lane.owner as WorkerId,
    ...taken,
    failures: 0,
    lostLeases: 0,
    waitingSeconds: null,
    cancelled: false,
    steps: [],
  };
}

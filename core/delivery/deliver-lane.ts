import type { Core } from '../core.ts';
import { describe, lostLeasesForgiven, nextAttempt, OutsideUnavailable } from '../dispatch/failure.ts';
import { type Lane, lockHeldLane, releaseLane } from '../dispatch/lane.ts';
import { LeaseLost } from '../dispatch/steps.ts';
import type { Executor, Statement } from '../store/database.ts';
import { openDelivery } from '../store/entities/dispatch.ts';
import type { DeliveryId } from '../store/ids.ts';
import { appendWithin } from '../streams/append.ts';
import type { Delivered, OutgoingDelivery } from './door.ts';
import { type Draft, type Picked, pickDelivery, readDrafts } from './pick-delivery.ts';
import { type RenderedEvent, renderEvent } from './render-event.ts';

/** A message that grows is edited at most this often (Slack: about one chat.update a second). */
const editMs = 1000;

/** What the holder of a Lane remembers of the drafts it shows. `uncertain`: an attempt failed, and may have been shown or not. */
type Shown = Map<DeliveryId, { text: string; at: number; uncertain?: boolean }>;

/**
 * Sends what waits in a claimed Lane, one at a time in the order of Events; shows drafts as they grow until their reply is
 * finished. A Delivery that is given up is said in the Thread and passed over.
 */
export async function deliverLane(
  core: Core,
  lane: Lane,
  signal: AbortSignal,
  first: Picked | null = null,
): Promise<void> {
  const shown: Shown = new Map();
  let picked = first;
  while (!signal.aborted) {
    picked ??= await pickDelivery(core.database, lane);
    if (picked) {
      const next = await deliver(core, lane, picked, shown.get(picked.id)?.uncertain ?? false);
      if (next === 'given back') return;
      picked = null;
      continue;
    }
    const drafts = await showDrafts(core, lane, shown, signal);
    if (drafts > 0) {
      await sleepUntilWoken(core, editMs / 2, signal);
      continue;
    }
    if (await releaseIfEmpty(core, lane)) return;
  }
  await giveBack(core, lane);
}

/** Sends one. `given back`: the Lane is not ours any more, because nothing is left in it or until the time of the next attempt. */
async function deliver(core: Core, lane: Lane, picked: Picked, uncertain: boolean): Promise<'go on' | 'given back'> {
  const about = { delivery: picked.id, event: picked.event?.id, thread: lane.thread };
  const started = performance.now();
  let delivered: Delivered;
  try {
    if (picked.lostLeases > lostLeasesForgiven)
      throw new Error(`the process delivering it was lost ${picked.lostLeases} times`);
    delivered = await send(core, lane, picked, uncertain);
  } catch (error) {
    const kind = await failed(core, lane, picked, error);
    core.metrics.deliveryAttempted(picked.binding.kind, kind);
    core.log.warn({ ...about, err: error, next: kind }, 'a delivery failed');
    return kind === 'dead' ? 'go on' : 'given back';
  }
  const released = await succeeded(core, lane, picked, delivered);
  core.metrics.deliveryAttempted(picked.binding.kind, 'delivered');
  core.log.info({ ...about, ms: Math.round(performance.now() - started) }, 'delivered');
  return released ? 'given back' : 'go on';
}

async function send(core: Core, lane: Lane, picked: Picked, uncertain: boolean): Promise<Delivered> {
  const door = core.doors.get(picked.binding.kind);
  if (!door) throw new OutsideUnavailable(`no door for "${picked.binding.kind}" is configured in this process`);
  const { event } = picked;
  if (!event) throw new Error('its event is gone');
  const rendered = await renderEvent(core, door, picked.binding, event);
  return await door.deliver(outgoing(lane, picked, rendered, uncertain));
}

function outgoing(lane: Lane, picked: Picked | Draft, rendered: RenderedEvent, uncertain: boolean): OutgoingDelivery {
  return {
    ...rendered,
    organisation: lane.organisation,
    id: picked.id,
    thread: lane.thread,
    binding: picked.binding,
    caption: picked.caption,
    threadPlace: picked.threadPlace,
    externalId: picked.externalId,
    createdAt: picked.createdAt,
    repeated:
      lane.takenOver || uncertain || picked.lostLeases > 0 || picked.failures > 0 || picked.waitingSeconds !== null,
  };
}

/**
 * The platform has it: its ids are entered as receipts too, so that an echo is recognised. Gives the Lane back if nothing is left in
 * it, and says whether it did.
 */
async function succeeded(core: Core, lane: Lane, picked: Picked, delivered: Delivered): Promise<boolean> {
  const ids = [...new Set([delivered.externalId, ...(delivered.externalIds ?? [])])];
  const [held, released] = await core.database.transaction((tx) =>
    tx.commitWith<[unknown, unknown]>(
      [
        `with held as materialized (${heldLane} for update), r as (
           insert into receipt (organisation, binding, external_id, event)
           select $1, $2, k, $7 from unnest($8::text[]) k where exists (select 1 from held) on conflict do nothing
         )
         update delivery set state = 'delivered', external_id = $6, delivered_at = now(), waiting_since = null, error = null
         where organisation = $1 and id = $5 and exists (select 1 from held) returning 1`,
        [
          ...[lane.organisation, lane.owner, lane.thread, lane.fence],
          ...[picked.id, delivered.externalId, picked.event?.id, ids],
        ],
      ],
      releaseIfNothingIsLeft(lane),
    ),
  );
  if (held.length === 0) throw new LeaseLost();
  core.waking.announce('nothing');
  return released.length > 0;
}

/** SQL: the row of a Lane of Deliveries, if it is held; $1 to $4 say which. */
const heldLane = `select 1 from lane where organisation = $1 and kind = 'delivery' and owner = $2 and thread = $3 and fence = $4
  and lease_until > clock_timestamp()`;

/** Like every release a statement of its own after the Lane's lock: it sees every Delivery that was made meanwhile. */
function releaseIfNothingIsLeft(lane: Lane): Statement {
  return [
    `update lane set lease_until = null, holder = null, ready_at = null
     where organisation = $1 and kind = 'delivery' and owner = $2 and thread = $3 and fence = $4
       and lease_until > clock_timestamp() and not exists (
         select 1 from delivery where organisation = $1 and binding = $2 and thread = $3
           and ${openDelivery('state')})
     returning 1`,
    [lane.organisation, lane.owner, lane.thread, lane.fence],
  ];
}

async function failed(core: Core, lane: Lane, picked: Picked, error: unknown): Promise<'wait' | 'retry' | 'dead'> {
  const next = nextAttempt(error, picked);
  const reason = describe(error);
  await core.database.transaction(async (tx) => {
    if (next.kind === 'dead') {
      // Lock order everywhere: Stream, Lane. The notice below locks the Stream's row.
      await tx.query(
        `select 1 from stream s join thread t on t.organisation = s.organisation and t.stream = s.id
         where t.organisation = $1 and t.id = $2 for update of s`,
        [lane.organisation, lane.thread],
      );
    }
    if (!(await lockHeldLane(tx, lane))) throw new LeaseLost();
    await tx.query(
      `update delivery set state = $3, error = $4, failures = $5,
         waiting_since = case when $6 then coalesce(waiting_since, now()) end, delivered_at = null
       where organisation = $1 and id = $2`,
      [
        lane.organisation,
        picked.id,
        next.kind === 'dead' ? 'dead' : 'waiting',
        reason,
        next.kind === 'wait' ? picked.failures : next.failures,
        next.kind === 'wait',
      ],
    );
    if (next.kind === 'dead') await tellDead(tx, lane, picked, reason);
    else await releaseLane(tx, lane, next.delaySeconds);
  });
  core.waking.announce();
  return next.kind;
}

/**
 * Dead is said in the Thread, to everybody but the Binding that failed: a notice that could not be sent would only beget the
 * next. Those who read inside see it, and `list_dead` lists it.
 */
async function tellDead(tx: Executor, lane: Lane, picked: Picked, reason: string): Promise<void> {
  const [thread] = await tx.query<{ stream: `s-${string}` }>(
    'select stream from thread where organisation = $1 and id = $2',
    [lane.organisation, lane.thread],
  );
  if (!thread) return;
  await appendWithin(tx, {
    organisation: lane.organisation,
    stream: thread.stream,
    thread: lane.thread,
    author: null,
    sourceKind: 'notice',
    message: { body: `A message could not be delivered by ${picked.binding.kind}: ${reason}. (${picked.id})` },
    drafted: [picked.binding.id],
  });
}

/** Shows each draft of this Lane whose text has grown. Returns how many drafts are open. */
async function showDrafts(core: Core, lane: Lane, shown: Shown, signal: AbortSignal): Promise<number> {
  const door = [...core.doors.values()].some((candidate) => candidate.drafts);
  if (!door) return 0;
  const drafts = await readDrafts(core.database, lane);
  for (const draft of drafts) {
    if (signal.aborted) break;
    const { text } = draft;
    const last = shown.get(draft.id);
    if (text.trim() === '' || last?.text === text || (last && performance.now() - last.at < editMs)) continue;
    await showDraft(core, lane, draft, text, shown);
  }
  return drafts.length;
}

async function showDraft(core: Core, lane: Lane, draft: Draft, text: string, shown: Shown): Promise<void> {
  const log = core.log.child({ delivery: draft.id, activation: draft.activation });
  const uncertain = shown.get(draft.id)?.uncertain ?? false;
  shown.set(draft.id, { text, at: performance.now(), uncertain });
  const door = core.doors.get(draft.binding.kind);
  if (!door) return;
  let delivered: Delivered;
  try {
    delivered = await door.deliver(outgoing(lane, draft, { event: null, text }, uncertain));
  } catch (error) {
    shown.set(draft.id, { text, at: performance.now(), uncertain: true });
    // The finished reply is what counts; it goes the way of every Delivery, with its attempts.
    log.warn({ err: error }, 'a draft could not be shown');
    return;
  }
  if (draft.externalId === delivered.externalId) return;
  await core.database.transaction(async (tx) => {
    if (!(await lockHeldLane(tx, lane))) throw new LeaseLost();
    await tx.query(`update delivery set external_id = $3 where organisation = $1 and id = $2`, [
      lane.organisation,
      draft.id,
      delivered.externalId,
    ]);
  });
}

/** True when nothing is left and the Lane has been given back; also true when it was not ours any more. */
async function releaseIfEmpty(core: Core, lane: Lane): Promise<boolean> {
  const { organisation, owner, thread, fence } = lane;
  const [held, released] = await core.database.transaction((tx) =>
    tx.commitWith<[unknown, unknown]>(
      [`${heldLane} for update`, [organisation, owner, thread, fence]],
      releaseIfNothingIsLeft(lane),
    ),
  );
  return held.length === 0 || released.length > 0;
}

async function giveBack(core: Core, lane: Lane): Promise<void> {
  await core.database.transaction(async (tx) => {
    if (await lockHeldLane(tx, lane)) await releaseLane(tx, lane, 0);
  });
  core.waking.announce();
}

async function sleepUntilWoken(core: Core, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      unlisten();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const unlisten = core.waking.listen((claimable) => {
      if (claimable === 'delivery' || claimable === 'either') done();
    });
    signal.addEventListener('abort', done, { once: true });
  });
}

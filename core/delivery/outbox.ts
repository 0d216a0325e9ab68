import type { Core } from '../core.ts';
import type { Lane } from '../dispatch/lane.ts';
import { type BegunLane, type LaneLoop, startLaneLoop } from '../dispatch/lane-loop.ts';
import { LeaseLost } from '../dispatch/steps.ts';
import type { Statement } from '../store/database.ts';
import type { BindingId } from '../store/ids.ts';
import { deliverLane } from './deliver-lane.ts';
import {
  type ClaimedDelivery,
  type ClaimedRow,
  claimDelivery,
  claimedWithEvent,
  claimWithEvent,
  type Picked,
  type SentEvent,
} from './pick-delivery.ts';

/** How many (binding, thread) Lanes this process delivers to at once. */
const slots = 16;

/** So many places of one Event are begun at once; the others wait their turn like everything else. */
const placesAtOnce = 4;

/** Sends Deliveries from this process. */
export interface Outbox extends LaneLoop {
  /**
   * Sends an Event from the moment it is committed. `commit` is given the statement that claims its Deliveries, to be sent last in the
   * transaction that writes the Event, and says what that answered with; null: there is no room, and whoever looks sends it.
   *
   * @returns to which of the Bindings it is on its way now, and what `commit` returned
   */
  sendAlong<T>(
    sent: SentEvent,
    commit: (claim: Statement | null) => Promise<{ claimed: ClaimedRow[]; value: T }>,
  ): Promise<{ begun: BindingId[]; value: T }>;
}

/** Sends Deliveries from this process until it is stopped. */
export function startOutbox(core: Core): Outbox {
  const loop = startLaneLoop(core, {
    kind: 'delivery',
    slots,
    handle: (lane, signal) => handle(lane, signal, null),
    async begin(key) {
      const claimed = await claimDelivery(core, key);
      return claimed && begunOf(claimed);
    },
  });

  function begunOf({ lane, first }: ClaimedDelivery): BegunLane {
    return { lane, handle: (signal) => handle(lane, signal, first) };
  }

  async function handle(lane: Lane, signal: AbortSignal, first: Picked | null): Promise<void> {
    try {
      await deliverLane(core, lane, signal, first);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      core.metrics.leaseLost('delivery');
      core.log.warn({ thread: lane.thread }, 'the lease was lost: what was being sent may be sent once more');
    }
  }

  return {
    running: () => loop.running(),
    stop: (graceMs) => loop.stop(graceMs),
    sendAlong: (sent, commit) =>
      loop.beginAlong(Math.min(placesAtOnce, sent.places), async (room) => {
        const { claimed, value } = await commit(room > 0 ? claimWithEvent(core, sent, room) : null);
        const begun = claimedWithEvent(sent, claimed).map(begunOf);
        return { begun, value: { begun: claimed.map(({ owner }) => owner), value } };
      }),
  };
}

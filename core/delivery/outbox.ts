import type { Core } from '../core.ts';
import type { Lane } from '../dispatch/lane.ts';
import { type LaneLoop, startLaneLoop } from '../dispatch/lane-loop.ts';
import { LeaseLost } from '../dispatch/steps.ts';
import { claimDelivery, deliverLane, type Picked } from './deliver-lane.ts';

/** How many (binding, thread) Lanes this process delivers to at once. */
const slots = 16;

/** Sends Deliveries from this process until it is stopped. */
export function startOutbox(core: Core): LaneLoop {
  return startLaneLoop(core, {
    kind: 'delivery',
    slots,
    handle: (lane, signal) => handle(lane, signal, null),
    async begin(key) {
      const begun = await claimDelivery(core, key);
      return begun && { lane: begun.lane, handle: (signal) => handle(begun.lane, signal, begun.first) };
    },
  });

  async function handle(lane: Lane, signal: AbortSignal, first: Picked | null): Promise<void> {
    try {
      await deliverLane(core, lane, signal, first);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      core.metrics.leaseLost('delivery');
      core.log.warn({ thread: lane.thread }, 'the lease was lost: what was being sent may be sent once more');
    }
  }
}

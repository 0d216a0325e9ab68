import type { Core } from '../core.ts';
import { type LaneLoop, startLaneLoop } from '../dispatch/lane-loop.ts';
import { LeaseLost } from '../dispatch/steps.ts';
import { deliverLane } from './deliver-lane.ts';

/** How many (binding, thread) Lanes this process delivers to at once. */
const slots = 16;

/** Sends Deliveries from this process until it is stopped. */
export function startOutbox(core: Core): LaneLoop {
  return startLaneLoop(core, {
    kind: 'delivery',
    slots,
    async handle(lane, signal) {
      try {
        await deliverLane(core, lane, signal);
      } catch (error) {
        if (!(error instanceof LeaseLost)) throw error;
        core.metrics.leaseLost('delivery');
        core.log.warn({ thread: lane.thread }, 'the lease was lost: what was being sent may be sent once more');
      }
    },
  });
}

import type { Core } from '../core.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { abortCancelled } from './cancel.ts';
import { type LaneLoop, startLaneLoop } from './lane-loop.ts';
import { type Running, runActivation, type WorkerTools } from './run-activation.ts';
import { claimBatch, takeBatch } from './take-batch.ts';

/** Somebody who says `stop` waits at most about this long. */
const cancelLookMs = 100;

/**
 * Runs Activations in this process, up to `slots` at once, until it is stopped. `outbox`: what sends their replies from this process
 * at once; without it they wait for whoever looks.
 */
export function startDispatcher(core: Core, options: { slots: number; tools: WorkerTools; outbox?: Outbox }): LaneLoop {
  const running: Running = new Map();
  const loop = startLaneLoop(core, {
    kind: 'activation',
    slots: options.slots,
    async handle(lane, signal) {
      const batch = await takeBatch(core.database, lane);
      if (batch) await runActivation(core, options, lane, batch, signal, running);
    },
    async begin(key) {
      const begun = await claimBatch(core, key);
      if (!begun) return null;
      const { lane } = begun;
      return { lane, handle: (signal) => runActivation(core, options, lane, begun, signal, running) };
    },
  });

  let looking: NodeJS.Timeout | undefined;
  const unlisten = core.waking.listen(() => {
    if (looking || running.size === 0) return;
    looking = setTimeout(() => {
      looking = undefined;
      abortCancelled(core, running).catch((error: unknown) => {
        core.log.warn({ err: error }, 'could not look for cancelled activations');
      });
    }, cancelLookMs);
  });

  return {
    running: () => loop.running(),
    async stop(graceMs) {
      await loop.stop(graceMs);
      unlisten();
      clearTimeout(looking);
    },
  };
}

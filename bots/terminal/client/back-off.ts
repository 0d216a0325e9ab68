import { setTimeout as sleep } from 'node:timers/promises';

const firstMs = 250;
const longestMs = 5000;

/** Waits longer each time: 0.25 s, 0.5 s, … 5 s, each up to a quarter less so that many clients do not come at once. */
export function createBackOff(): { wait(signal: AbortSignal): Promise<void>; reset(): void } {
  let nextMs = firstMs;
  return {
    async wait(signal) {
      const ms = nextMs * (1 - Math.random() / 4);
      nextMs = Math.min(nextMs * 2, longestMs);
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    },
    reset() {
      nextMs = firstMs;
    },
  };
}

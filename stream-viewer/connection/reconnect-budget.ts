/** Waits before each attempt to connect again, in milliseconds: about a minute and a half in all, since another host has taken over by then. */
const waits = [250, 500, 1000, 2000, 4000, ...Array<number>(10).fill(8000)];

/** How often, and how soon, a page may connect again. */
export interface ReconnectBudget {
  /** Milliseconds to wait before the next attempt; null: that was all. */
  next(): number | null;
  /** A picture was painted: whatever was wrong is over. That a socket opened proves nothing. */
  reset(): void;
}

/** @param random from 0 to 1: fifty viewers of a streamer that died shall not all come back in the same millisecond */
export function createReconnectBudget(random: () => number = Math.random): ReconnectBudget {
  let used = 0;
  return {
    next() {
      const wait = waits[used];
      if (wait === undefined) return null;
      used += 1;
      return Math.round(wait * (0.8 + 0.4 * random()));
    },
    reset() {
      used = 0;
    },
  };
}

const firstMs = 100;

/** The pauses between attempts: doubling, and each a random part of that, so that many hosts do not come back at the same moment. */
export interface BackOff {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  /** It worked: the next pause is a short one. */
  reset(): void;
}

/** @param atMostMs the longest pause */
export function createBackOff(atMostMs: number): BackOff {
  let ms = firstMs;
  return {
    next() {
      const pause = ms * (0.5 + Math.random() / 2);
      ms = Math.min(ms * 2, atMostMs);
      return pause;
    },
    reset() {
      ms = firstMs;
    },
  };
}

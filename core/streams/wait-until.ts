/** A notification may be lost: look at least this often. */
const pollMs = 1000;

/** However much is going on, look no more often than this. */
const restMs = 50;

/** What tells that something was committed: core/store/waking.ts, or one of its channels. */
export interface Announcements {
  listen(listener: () => void): () => void;
}

/**
 * Looks, and looks again whenever something was committed, until `isDone` or the time is over or the signal aborts; then gives what
 * it saw last. What `look` throws ends it.
 */
export async function waitUntil<T>(
  waking: Announcements,
  look: () => Promise<T>,
  options: { isDone: (seen: T) => boolean; ms: number; signal: AbortSignal },
): Promise<T> {
  const { isDone, signal } = options;
  const end = performance.now() + options.ms;
  let announced = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    announced = true;
    wake?.();
  };
  const unlisten = waking.listen(ring);
  signal.addEventListener('abort', ring);
  try {
    for (;;) {
      announced = false;
      const seen = await look();
      const left = end - performance.now();
      if (isDone(seen) || left <= 0 || signal.aborted) return seen;
      await pause(Math.min(restMs, left));
      if (!announced)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(pollMs, Math.max(end - performance.now(), 0)));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (announced) wake();
        });
      wake = undefined;
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', ring);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Counts how long the core has been silent, and says when the host's Desktops are no longer its own. */
export interface Fence {
  /** A question has been sent: whatever answers it counts from this moment. */
  asked(): void;
  /** The oldest open question was answered. */
  answered(): void;
  /** The connection is gone, and with it the open questions. */
  reset(): void;
  /** Milliseconds since the last question that was answered; Infinity before the first. */
  silentFor(): number;
  close(): void;
}

/**
 * The host's half of its lease on its Desktops. The core gives them to another host 30 s after it last heard of this one, so this one
 * stops them earlier. Counted from when a question was *sent*, not from when its answer came: the core cannot have heard it before that,
 * however long the answer was under way.
 *
 * @param afterMs silence, in milliseconds
 * @param onSilent called once each time that the silence has lasted so long; never before the first answer
 */
export function createFence(afterMs: number, onSilent: () => void, now: () => number = () => performance.now()): Fence {
  const open: number[] = [];
  let heardAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  return {
    asked: () => void open.push(now()),
    answered() {
      const askedAt = open.shift();
      if (askedAt === undefined) return;
      heardAt = askedAt;
      clearTimeout(timer);
      timer = setTimeout(onSilent, Math.max(0, heardAt + afterMs - now()));
    },
    reset: () => void open.splice(0),
    silentFor: () => now() - heardAt,
    close: () => clearTimeout(timer),
  };
}

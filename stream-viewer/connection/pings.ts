/** A ping is sent this often. */
export const pingEveryMs = 1000;

/** The way there and back, as far as it is known. A queue on the way shows here before anywhere else, and an answer that is missing counts. */
export interface Pings {
  /** A ping leaves now; returns its `t`. */
  sent(): number;
  /** @returns milliseconds there and back, or null for an answer to no ping of ours */
  answered(t: number): number | null;
  /** How long the oldest one has been waiting; 0 when all are answered. */
  waiting(): number;
}

export function createPings(now: () => number = () => performance.now()): Pings {
  const open: number[] = [];
  return {
    sent() {
      const t = Math.round(now());
      open.push(t);
      return t;
    },
    answered(t) {
      if (!open.includes(t)) return null;
      // Answers come in the order of the questions: what is older got lost with an earlier streamer.
      while (open[0] !== undefined && open[0] <= t) open.shift();
      return now() - t;
    },
    waiting: () => (open[0] === undefined ? 0 : now() - open[0]),
  };
}

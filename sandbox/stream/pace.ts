/** When the next picture may be made. Times are milliseconds on a clock that never goes back. */
export interface Pace {
  /** How long to wait for it from now on; 0: at once. */
  wait(now: number): number;
  /** One was begun at `now`, and took so much of the processors' time. */
  took(now: number, cpuMs: number): void;
}

/** Pictures never follow each other more closely than this. */
const leastGapMs = 8;
/** Capturing and encoding may take this share of one core. */
const busyAtMost = 0.5;

/**
 * On the average `fps` pictures a second at most, and fewer where one costs so much that this would be more than half of a core. One may come early, though: after a pause the first is made at once and the second right behind it (programs draw a page in
 * several strokes), and what is drawn at exactly this rate is never held up because one drawing was a little early.
 */
export function createPace(fps: number): Pace {
  let costMs = 0;
  let begunAt = Number.NEGATIVE_INFINITY;
  /** When the next one would be due if all came evenly: the generic cell rate algorithm (ITU-T I.371), with a tolerance of one. */
  let dueAt = Number.NEGATIVE_INFINITY;

  const interval = () => Math.max(1000 / fps, costMs / busyAtMost);

  return {
    wait: (now) => Math.max(0, dueAt - interval() - now, begunAt + leastGapMs - now),
    took(now, cpuMs) {
      costMs = costMs === 0 ? cpuMs : costMs * 0.9 + cpuMs * 0.1;
      begunAt = now;
      dueAt = Math.max(dueAt, now) + interval();
    },
  };
}

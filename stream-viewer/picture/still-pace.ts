/** Stills adapt to the link (streaming.md's rule): one that took longer than `slowMs` makes the next poorer, one quicker than `quickMs` better. */
const slowMs = 500;
const quickMs = 300;
const quality = { first: 60, least: 20, most: 85, down: 10, up: 5 };
/** When the poorest is still too slow, the picture gets smaller. */
const width = { least: 0.4, step: 0.2 };

/** Milliseconds between the beginnings of two requests: at most ten stills a second, and a change is seen within a quarter of one. */
const everyMs = { changing: 100, resting: 250 };
/** Nothing has changed for this long: the picture that stays is fetched once more, well readable. */
const restsAfterMs = 1500;
export const restQuality = 80;

/** How good the next still should be. */
export interface Pace {
  /** 1 to 100. */
  quality: number;
  /** Of the width that the screen could show, 0.4 to 1. */
  width: number;
}

export const firstPace: Pace = { quality: quality.first, width: 1 };

/** The pace after a still that took so long, from the request to the last byte. */
export function nextPace(pace: Pace, tookMs: number): Pace {
  if (tookMs > slowMs) {
    if (pace.quality > quality.least) return { ...pace, quality: Math.max(quality.least, pace.quality - quality.down) };
    return { ...pace, width: Math.max(width.least, pace.width - width.step) };
  }
  if (tookMs < quickMs) {
    if (pace.width < 1) return { ...pace, width: Math.min(1, pace.width + width.step) };
    return { ...pace, quality: Math.min(quality.most, pace.quality + quality.up) };
  }
  return pace;
}

/** Milliseconds from the beginning of one request to that of the next. */
export function pauseAfter(changed: boolean): number {
  return changed ? everyMs.changing : everyMs.resting;
}

/** True when the still on the screen should be fetched once more in {@link restQuality}. */
export function wantsRest(shown: Pace, unchangedForMs: number): boolean {
  return unchangedForMs > restsAfterMs && (shown.quality < restQuality - 10 || shown.width < 1);
}

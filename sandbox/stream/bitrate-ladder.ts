/** Bits a second of the one encoder, from the best to the least. */
export const bitrates = [8_000_000, 4_000_000, 2_000_000, 1_000_000, 500_000] as const;

/** How a viewer has fared since the last review. */
export interface ViewerReport {
  viewer: string;
  /** Pictures that it was not sent, since it was too far behind. */
  skipped: number;
  /** The longest that an acknowledgement took or is taking, in milliseconds; 0: there was none. */
  lagMs: number;
}

/** What a review has come to. */
export interface LadderStep {
  bitrate: number;
  /** Viewers that are behind even at the least bitrate: video is no use to them. */
  tooSlow: string[];
}

/** Finds the bitrate that all viewers can take. */
export interface BitrateLadder {
  readonly bitrate: number;
  /** To be called about once a second with all that are being sent video. */
  review(reports: readonly ViewerReport[], now: number): LadderStep;
}

/** A viewer whose acknowledgements take so much longer than its fastest one has a queue building up before it. */
const queueMs = 200;
/** So long at the least bitrate with a queue, and video is given up: what was queued before has drained by then. */
const giveUpAfterMs = 4000;
/**
 * No queue for so long, and the next better bitrate is tried; twice as long after each try that failed. Quickly when the one that was
 * behind has gone.
 */
const patienceMs = { quick: 1000, first: 5000, most: 80_000 };
/** A try has failed if a queue builds up within this time. */
const tryMs = 5000;

/** What is remembered of a viewer. */
interface Standing {
  fastestMs: number;
  /** Since when it has been behind at the least bitrate. */
  behindSince?: number | undefined;
  /** It was the reason for a step down. */
  slowed: boolean;
}

/**
 * One encoder serves everybody, so the slowest viewer decides: each review with a queue before anyone steps down, until there is none or
 * that viewer gives up video. Calm for a while, and the next step up is tried.
 */
export function createBitrateLadder(): BitrateLadder {
  const standings = new Map<string, Standing>();
  let step = 0;
  let steppedUpAt = Number.NEGATIVE_INFINITY;
  let calmSince: number | undefined;
  let patience = patienceMs.first;

  const bitrate = () => bitrates[step] ?? bitrates[0];

  function forgetAllBut(reports: readonly ViewerReport[]): void {
    for (const [viewer, { slowed }] of standings) {
      if (reports.some((report) => report.viewer === viewer)) continue;
      standings.delete(viewer);
      if (slowed) patience = patienceMs.quick;
    }
  }

  function behindOf(reports: readonly ViewerReport[]): Standing[] {
    return reports.flatMap(({ viewer, skipped, lagMs }) => {
      const standing = standings.get(viewer) ?? { fastestMs: Number.POSITIVE_INFINITY, slowed: false };
      standings.set(viewer, standing);
      if (lagMs > 0) standing.fastestMs = Math.min(standing.fastestMs, lagMs);
      const isBehind = skipped > 0 || lagMs > standing.fastestMs + queueMs;
      if (!isBehind) standing.behindSince = undefined;
      return isBehind ? [standing] : [];
    });
  }

  function stepUpWhenCalm(now: number): void {
    calmSince ??= now;
    if (step === 0 || now - calmSince < patience) return;
    step -= 1;
    steppedUpAt = now;
    calmSince = now;
  }

  function stepDown(now: number): void {
    step += 1;
    calmSince = undefined;
    patience =
      now - steppedUpAt < tryMs ? Math.min(patience * 2, patienceMs.most) : Math.max(patience, patienceMs.first);
  }

  return {
    get bitrate() {
      return bitrate();
    },
    review(reports, now) {
      forgetAllBut(reports);
      const behind = behindOf(reports);
      if (behind.length === 0) stepUpWhenCalm(now);
      else if (step < bitrates.length - 1) {
        stepDown(now);
        for (const standing of behind) standing.slowed = true;
      } else {
        calmSince = undefined;
        for (const standing of behind) standing.behindSince ??= now;
      }
      const tooSlow = [...standings].flatMap(([viewer, { behindSince }]) =>
        behindSince !== undefined && now - behindSince >= giveUpAfterMs ? [viewer] : [],
      );
      return { bitrate: bitrate(), tooSlow };
    },
  };
}

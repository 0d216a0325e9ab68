/** A picture that was made, as far as motion is concerned. */
export interface MadePicture {
  key: boolean;
  /** Which share of the screen had changed. */
  changed: number;
  bytes: number;
  /** Null where the encoder does not say. */
  quantizer: number | null;
}

/** Sees when much of the screen moves on and on, as a film does, and how finely it may be shown then. */
export interface Motion {
  /** The quantiser that all pictures may have while it goes on; null: it doesn't go on, or that would take too much of the line. */
  readonly quantizer: number | null;
  /** When it will have been over for long enough to be sure, on performance.now()'s clock; undefined: nothing moves. */
  readonly restsAt: number | undefined;
  made(picture: MadePicture, now: number): void;
  /** It is taken to be over: the screen rests, or somebody needs a keyframe, or the bitrate has changed. */
  end(): void;
}

/** Scrolling, a film in a window: pictures that change less are cheap anyway. */
const leastChange = 0.25;
/** So many large changes in so long a time are motion: what a hand scrolls is not, since it is over before this. */
const pictures = 24;
const withinMs = 1500;
/** Motion that pauses for so long is over. */
const restMs = 400;
/** Above this a picture shows blocks, and is so large that it is better made by the rate control. */
const coarsest = 30;
/** What pictures of one quantiser may take of the bitrate on the average when it begins, so that a busier scene fits in, too. */
const shareToBegin = 0.6;
/** So many times as large as before, by so many pictures: text that scrolls, which the quicker search does not find. */
const growthAtMost = 2;
const picturesToJudge = 4;
/** What grew too large would do so again: it is left to the rate control until a pause of so long, after which something else moves. */
const otherAfterMs = 700;

/** Watches for motion. `bitrate`: bits a second at most, as it is now. */
export function createMotion(bitrate: () => number): Motion {
  let recent: (MadePicture & { at: number })[] = [];
  let quantizer: number | null = null;
  let bytesBefore = 0;
  let isTooBusy = false;
  let changedAt: number | undefined;

  function begin(): void {
    const mean = Math.round(meanOf(recent.map((made) => made.quantizer ?? coarsest + 1)));
    if (mean > coarsest || bitsPerSecond() > bitrate() * shareToBegin) return;
    bytesBefore = meanOf(recent.map(({ bytes }) => bytes));
    quantizer = mean;
    recent = [];
  }

  function isTooLarge(): boolean {
    const grown = meanOf(recent.map(({ bytes }) => bytes)) / bytesBefore;
    return bitsPerSecond() > bitrate() || (recent.length >= picturesToJudge && grown > growthAtMost);
  }

  /** Of the pictures that are remembered. */
  function bitsPerSecond(): number {
    return (recent.reduce((sum, { bytes }) => sum + bytes, 0) * 8 * 1000) / withinMs;
  }

  function end(): void {
    recent = [];
    quantizer = null;
  }

  return {
    get quantizer() {
      return quantizer;
    },
    get restsAt() {
      return quantizer === null || changedAt === undefined ? undefined : changedAt + restMs;
    },
    made(picture, now) {
      if (picture.changed < leastChange) return;
      if (changedAt !== undefined && now - changedAt > otherAfterMs) isTooBusy = false;
      changedAt = now;
      // A keyframe says nothing about those after it.
      if (picture.key) return;
      recent = [...recent.filter(({ at }) => now - at < withinMs), { ...picture, at: now }];
      if (quantizer === null) {
        if (recent.length >= pictures && !isTooBusy) begin();
      } else if (isTooLarge()) {
        isTooBusy = true;
        end();
      }
    },
    end,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

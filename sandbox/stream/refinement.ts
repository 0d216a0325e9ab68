import { bufferSeconds } from '../encode/encoder-settings.ts';

/** Decides when a picture that was made coarse, to be there soon, is sent once more in better quality. */
export interface Refinement {
  /** When the next refining picture is due, on performance.now()'s clock; undefined: none is. */
  readonly dueAt: number | undefined;
  isDue(now: number): boolean;
  /** A picture was made with this quantiser; `changed`: because the screen had changed. */
  made(quantizer: number | null, changed: boolean, now: number): void;
}

/** Above this, a rested screen shows blocks around text and shadows of what was there before. It is just above the finest that is made. */
const coarse = 23.5;
/** As often as the encoder may spend a whole picture's bits ({@link bufferSeconds}): more often would only divide them. */
const everyMs = bufferSeconds * 1000;
/**
 * A full page of small text is fine after 14 refinings at 8 Mbit/s. What is not by then (noise, a low bitrate) goes on more rarely, and is
 * left at that in the end, so that a resting screen costs nothing.
 */
const often = 16;
const rarelyMs = 1000;
const times = 40;

/** Coarse pictures are refined until they are fine or the screen changes. */
export function createRefinement(): Refinement {
  let dueAt: number | undefined;
  let done = 0;
  return {
    get dueAt() {
      return dueAt;
    },
    isDue: (now) => dueAt !== undefined && now >= dueAt - 0.5,
    made(quantizer, changed, now) {
      done = changed ? 0 : done + 1;
      const more = (quantizer ?? 0) > coarse && done < times;
      dueAt = more ? now + (done < often ? everyMs : rarelyMs) : undefined;
    },
  };
}

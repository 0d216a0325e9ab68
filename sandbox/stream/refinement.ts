/** Decides when a picture that was made coarse, to be there soon, is sent once more in better quality. */
export interface Refinement {
  /** When the next refining picture is due, on performance.now()'s clock; undefined: none is. */
  readonly dueAt: number | undefined;
  isDue(now: number): boolean;
  /** A picture was made with this quantiser; `changed`: because the screen had changed. */
  made(quantizer: number | null, changed: boolean, now: number): void;
}

/** Above this, text shows blocks: a turned page that had to fit into the bitrate. */
const coarse = 30;
/** After a change, how long until it is refined, each time twice as long: a screen that goes on changing needs none of it. */
const firstAfterMs = 100;
const times = 5;

/** Coarse pictures are refined in up to five steps over some seconds, until they are fine or the screen changes. */
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
      dueAt = (quantizer ?? 0) > coarse && done < times ? now + firstAfterMs * 2 ** done : undefined;
    },
  };
}

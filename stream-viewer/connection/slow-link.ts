/** Above this, video falls behind on a connection that delivers in order (design §6). */
export const slowAboveMs = 150;
/** One slow answer is a keyframe passing by; so many in a row are the link. */
const inARow = 4;

/** Says when a link has become too slow for video. */
export interface SlowLink {
  /** @returns true when video should pause now */
  saw(roundTripMs: number): boolean;
  /** Begins anew: after a reconnect, and when a person wants to try again. */
  forget(): void;
}

export function createSlowLink(): SlowLink {
  let slow = 0;
  return {
    saw(roundTripMs) {
      slow = roundTripMs > slowAboveMs ? slow + 1 : 0;
      return slow >= inARow;
    },
    forget() {
      slow = 0;
    },
  };
}

import type { Band } from './bands.ts';

/** How many bytes a pixel has: blue, green, red and one without meaning, as an X server of depth 24 keeps them. */
export const bytesPerPixel = 4;

/** Copies rows of the screen into `pixels`. */
export interface Grabber {
  /** The screen as it was when each row was grabbed last: {@link bytesPerPixel} a pixel, rows without gaps. */
  readonly pixels: Buffer;
  /** @throws XRequestError when the screen has become smaller than the bands meanwhile */
  grab(bands: readonly Band[]): Promise<void>;
  close(): void;
}

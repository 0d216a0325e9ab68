/**
 * A pointer's position is sent as a share of the screen, so that sender and receiver need not agree on its size: 0 is the first pixel
 * and 65535 the last.
 */
const whole = 65535;

/** The pixel at a share of a screen of `size` pixels. */
export function pixelAt(share: number, size: number): number {
  return Math.round((share * (size - 1)) / whole);
}

/** The share that {@link pixelAt} makes this pixel of again, for any size up to 65536. */
export function shareOf(pixel: number, size: number): number {
  return size < 2 ? 0 : Math.round((pixel * whole) / (size - 1));
}

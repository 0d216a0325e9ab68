import type { Box } from '../capture/box.ts';
import { bytesPerPixel } from '../capture/grabber.ts';
import { encodePng } from '../x11/png.ts';

/**
 * A part of a screen (blue, green, red, unused) as a PNG: nothing is left out of it. 200×200 pixels of a flat colour or of text take 1 ms,
 * in the calling thread.
 *
 * @param stride pixels in a row of the screen
 */
export function encodePatch(pixels: Buffer, stride: number, { left, top, width, height }: Box): Buffer {
  const colours = Buffer.allocUnsafe(width * height * 3);
  let to = 0;
  for (let row = top; row < top + height; row++) {
    const end = (row * stride + left + width) * bytesPerPixel;
    for (let from = (row * stride + left) * bytesPerPixel; from < end; from += bytesPerPixel, to += 3) {
      colours[to] = pixels[from + 2] as number;
      colours[to + 1] = pixels[from + 1] as number;
      colours[to + 2] = pixels[from] as number;
    }
  }
  return encodePng(width, height, colours, { channels: 3, level: 1 });
}

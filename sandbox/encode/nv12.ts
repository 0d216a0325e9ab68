import type { Frame } from 'node-av/lib';
import type { ScreenSize } from '../x11/screen.ts';
import { AvError } from './av-error.ts';
import { allocatePicture, type PictureSource } from './bgrx-converter.ts';
import type { NodeAv } from './node-av.ts';

/**
 * Takes pictures that are NV12 already: width × height bytes of brightness, half as many of colour, without padding. The whole picture each
 * time, whichever bands of it are new.
 *
 * @param size even width and height
 */
export function createNv12Source(av: NodeAv, size: ScreenSize): PictureSource {
  const frame = allocatePicture(av, size, av.AV_PIX_FMT_NV12);
  return {
    frame,
    convert(pixels) {
      AvError.check(frame.makeWritable(), 'writing to a picture');
      eachRow(frame, size, (row, at) => void pixels.copy(row, 0, at, at + size.width));
    },
    close: () => frame.free(),
  };
}

/** Copies an NV12 picture to where it has no padding. @param into of width × height × 3 / 2 bytes */
export function packNv12(frame: Frame, size: ScreenSize, into: Buffer): void {
  eachRow(frame, size, (row, at) => void row.copy(into, at, 0, size.width));
}

/** Each row of brightness, then each of colour, with where it lies without padding. */
function eachRow(frame: Frame, { width, height }: ScreenSize, take: (row: Buffer, at: number) => void): void {
  const planes = frame.data ?? [];
  let at = 0;
  for (const [plane, rows] of [height, height / 2].entries()) {
    const stride = frame.linesize[plane] ?? 0;
    for (let row = 0; row < rows; row++, at += width) {
      const bytes = planes[plane]?.subarray(row * stride, row * stride + width);
      if (bytes) take(bytes, at);
    }
  }
}

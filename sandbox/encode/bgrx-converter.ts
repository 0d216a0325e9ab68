import type { AVPixelFormat, SwsFlags } from 'node-av/constants';
import type { Frame, SoftwareScaleContext } from 'node-av/lib';
import type { Band } from '../capture/bands.ts';
import { bytesPerPixel } from '../capture/grabber.ts';
import type { ScreenSize } from '../x11/screen.ts';
import { AvError } from './av-error.ts';
import type { NodeAv } from './node-av.ts';

/** Converts rows of a screen (blue, green, red, unused) into the YUV picture that an encoder takes. */
export interface BgrxConverter extends PictureSource {
  /** Takes 2 ms for 1920×1080, in the calling thread: another would take them, too, and the way there and back besides. */
  convert(pixels: Buffer, bands: readonly Band[]): void;
}

/** What an encoder takes its pictures from. */
export interface PictureSource {
  /** The whole screen as it was converted last. */
  readonly frame: Frame;
  convert(pixels: Buffer, bands: readonly Band[]): void;
  close(): void;
}

/**
 * Half the width and height for the colours, by averaging; BT.601 in limited range, which is what the stream is tagged with. Without
 * FULL_CHR_H_INP swscale reads four-byte pixels by code that has no SIMD: 3.2 instead of 2.3 ms for 1920×1080. FAST_BILINEAR is no faster,
 * and resamples though nothing is scaled, by more with each column: text came out at 28 dB instead of 48.
 *
 * @param size even width and height
 * @param stride pixels in a row of the screen, which may be one more
 */
export function createBgrxConverter(
  av: NodeAv,
  size: ScreenSize,
  stride: number,
  pixelFormat: AVPixelFormat,
): BgrxConverter {
  const frame = allocatePicture(av, size, pixelFormat);
  const flags = (av.SWS_BILINEAR | av.SWS_FULL_CHR_H_INP) as SwsFlags;
  /** One for each height of a band: swscale wants to know it beforehand. */
  const scalers = new Map<number, SoftwareScaleContext>();

  function scalerOf(height: number): SoftwareScaleContext {
    const known = scalers.get(height);
    if (known) return known;
    const scaler = new av.SoftwareScaleContext();
    const { width } = size;
    scaler.getContext(width, height, av.AV_PIX_FMT_BGR0, width, height, pixelFormat, flags);
    scalers.set(height, scaler);
    return scaler;
  }

  let planes: Buffer[] = [];
  let strides: number[] = [];

  /** The picture's memory is wrapped once: megabytes of new buffers for each picture would keep the garbage collector busy. */
  function ensureWritable(): void {
    if (planes.length > 0 && frame.isWritable) return;
    AvError.check(frame.makeWritable(), 'writing to a picture');
    planes = frame.data ?? [];
    strides = frame.linesize;
  }

  return {
    frame,
    convert(pixels, bands) {
      ensureWritable();
      const rowBytes = stride * bytesPerPixel;
      for (const { top, height } of bands) {
        const rows = Math.min(height, size.height - top);
        if (rows <= 0) continue;
        const into = planes.map((plane, index) => {
          const firstRow = index === 0 ? top : top / 2;
          return plane.subarray(firstRow * (strides[index] ?? 0));
        });
        const done = scalerOf(rows).scaleSync([pixels.subarray(top * rowBytes)], [rowBytes], 0, rows, into, strides);
        AvError.check(done, 'converting a picture');
      }
    },
    close() {
      for (const scaler of scalers.values()) scaler.freeContext();
      scalers.clear();
      frame.free();
    },
  };
}

/** A picture of that size, tagged with the colours of the stream. What is in it is not defined. */
export function allocatePicture(av: NodeAv, { width, height }: ScreenSize, pixelFormat: AVPixelFormat): Frame {
  const frame = new av.Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = pixelFormat;
  frame.colorSpace = av.AVCOL_SPC_SMPTE170M;
  frame.colorRange = av.AVCOL_RANGE_MPEG;
  AvError.check(frame.getBuffer(0), 'allocating a picture');
  return frame;
}

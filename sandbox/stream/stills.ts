import { endianness } from 'node:os';
import type { ScreenCapture } from '../capture/screen-capture.ts';
import { type EncodedStill, encodeStill } from '../encode/encode-still.ts';
import type { Still, StillRequest } from './streamer.ts';

/** Pictures of a screen, one at a time. */
export interface Stills {
  take(request: StillRequest): Promise<Still>;
}

/**
 * Takes stills of a captured screen. Nothing is encoded for whoever has the picture already, and once for all who ask for the same, so
 * that a wall or fifty viewers without video cost as much as one.
 */
export function createStills(capture: ScreenCapture): Stills {
  const encoded = new Map<string, Promise<EncodedStill>>();
  let encodedSerial = 0;

  function encodeOnce(request: StillRequest): Promise<EncodedStill> {
    if (encodedSerial !== capture.serial) encoded.clear();
    encodedSerial = capture.serial;
    const key = `${request.format} ${request.format === 'png' ? '' : request.quality} ${request.width ?? ''}`;
    const known = encoded.get(key);
    if (known) return known;
    // A copy: the next refresh writes to the pixels while this is being encoded in another thread.
    const still = encodeStill(opaqueCopy(capture.pixels), capture.size, request);
    encoded.set(key, still);
    still.catch(() => encoded.delete(key));
    return still;
  }

  return {
    async take(request) {
      await capture.refresh();
      const { serial, size } = capture;
      if (request.unless === serial) return { serial, width: size.width, height: size.height };
      return { serial, ...(await encodeOnce(request)) };
    },
  };
}

/** An X server leaves each pixel's fourth byte 0, which whoever scales the picture takes for transparent, and so for black. */
function opaqueCopy(pixels: Buffer): Buffer {
  const copy = new Uint32Array(pixels.byteLength / 4);
  Buffer.from(copy.buffer).set(pixels);
  const alpha = endianness() === 'LE' ? 0xff000000 : 0x000000ff;
  for (let n = 0; n < copy.length; n++) copy[n] = (copy[n] ?? 0) | alpha;
  return Buffer.from(copy.buffer);
}

import type { Box } from '../capture/box.ts';

/** Decides which changes of the screen go to the viewers as they are, without the encoder. */
export interface Patches {
  /** Whether a change of this size is worth trying. */
  suits(box: Box, now: number): boolean;
  /** Whether so many bytes may be sent for one; else it goes as video, and the next are not tried for a while. */
  allows(bytes: number, now: number): boolean;
  setBitrate(bitsPerSecond: number): void;
}

/** A larger change takes as long as the whole screen does as video (5 ms), and shows about as late. */
const pixelsAtMost = 256 * 256;
/** What one patch may take of the line: 20 KB at 8 Mbit/s, so that photographs and films go as video. */
const secondsEach = 0.02;
/** What patches may take of the line together: a film in a small window, or a busy animation, is less as video. */
const shareOfBitrate = 0.25;
/** So long after one that came out too large none is tried: what is there moves, and the next would be too large as well. */
const afterTooLargeMs = 500;

/**
 * A clock, a typed letter, a button that is pressed: most changes are small, and the encoder looks at the whole screen for each of them.
 * As patches they cost a tenth, arrive sooner, and are sharp at once.
 *
 * @param bitrate of the video, in bits a second: patches keep within a share of it
 */
export function createPatches(bitrate: number): Patches {
  let bytesPerSecond = bitrate / 8;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  /** A leaky bucket of one second: what was sent, less what the share has carried away since. */
  let filled = 0;
  let filledAt = 0;

  return {
    suits: ({ width, height }, now) => width * height <= pixelsAtMost && now >= pausedUntil,
    allows(bytes, now) {
      const carried = ((now - filledAt) / 1000) * bytesPerSecond * shareOfBitrate;
      const level = Math.max(0, filled - carried) + bytes;
      if (bytes > bytesPerSecond * secondsEach || level > bytesPerSecond * shareOfBitrate) {
        pausedUntil = now + afterTooLargeMs;
        return false;
      }
      filled = level;
      filledAt = now;
      return true;
    },
    setBitrate(bitsPerSecond) {
      bytesPerSecond = bitsPerSecond / 8;
    },
  };
}

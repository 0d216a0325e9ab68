import { describe, expect, it } from 'vitest';
import { createMotion, type MadePicture, type Motion } from './motion.ts';

const film: MadePicture = { key: false, changed: 1, bytes: 15_000, quantizer: 26.2 };
const everyMs = 33;

/** Shows so many pictures, and returns the time after them. */
function show(motion: Motion, count: number, from = 0, picture: Partial<MadePicture> = {}): number {
  for (let n = 0; n < count; n++) motion.made({ ...film, ...picture }, from + n * everyMs);
  return from + count * everyMs;
}

describe('motion', () => {
  it('begins when much of the screen has changed for a while, as finely as that came out', () => {
    const motion = createMotion(() => 8_000_000);
    show(motion, 23);
    expect(motion.quantizer).toBeNull();
    show(motion, 1, 23 * everyMs);
    expect(motion.quantizer).toBe(26);
  });

  it.each([
    ['little changes', { changed: 0.2 }],
    ['the pictures are coarse', { quantizer: 31 }],
    ['they take most of the bitrate', { bytes: 40_000 }],
    ['the encoder does not say how fine they are', { quantizer: null }],
  ])('does not begin when %s', (_when, picture) => {
    const motion = createMotion(() => 8_000_000);
    show(motion, 200, 0, picture);
    expect(motion.quantizer).toBeNull();
  });

  it('does not begin when pictures are rare', () => {
    const motion = createMotion(() => 8_000_000);
    for (let now = 0; now < 60_000; now += 100) motion.made(film, now);
    expect(motion.quantizer).toBeNull();
  });

  it('rests 400 ms after the last large change, whatever small ones there are', () => {
    const motion = createMotion(() => 8_000_000);
    expect(motion.restsAt).toBeUndefined();
    const after = show(motion, 30);
    motion.made({ ...film, changed: 0.01 }, after + 200);
    expect(motion.restsAt).toBe(after - everyMs + 400);
    motion.end();
    expect(motion.quantizer).toBeNull();
    expect(motion.restsAt).toBeUndefined();
  });

  it('is over when its pictures are much larger than before, and does not begin again before a pause', () => {
    const motion = createMotion(() => 8_000_000);
    let now = show(motion, 24, 0, { bytes: 3000 });
    expect(motion.quantizer).toBe(26);
    now = show(motion, 1, now, { key: true, bytes: 250_000 });
    now = show(motion, 3, now, { bytes: 20_000 });
    expect(motion.quantizer).toBe(26);
    now = show(motion, 1, now, { bytes: 20_000 });
    expect(motion.quantizer).toBeNull();
    now = show(motion, 300, now, { bytes: 3000 });
    expect(motion.quantizer).toBeNull();
    show(motion, 24, now + 800);
    expect(motion.quantizer).toBe(26);
  });

  it('is over when it takes more than the bitrate', () => {
    let bitrate = 8_000_000;
    const motion = createMotion(() => bitrate);
    const now = show(motion, 60);
    expect(motion.quantizer).toBe(26);
    bitrate = 1_000_000;
    show(motion, 24, now);
    expect(motion.quantizer).toBeNull();
  });
});

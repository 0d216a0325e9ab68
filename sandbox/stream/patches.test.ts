import { describe, expect, it } from 'vitest';
import { createPatches } from './patches.ts';

const small = { left: 0, top: 0, width: 200, height: 200 };

describe('patches', () => {
  it('are for small changes', () => {
    const patches = createPatches(8_000_000);
    expect(patches.suits(small, 0)).toBe(true);
    expect(patches.suits({ ...small, width: 1920 }, 0)).toBe(false);
  });

  it('take 20 ms of the line at most, and are left alone for half a second after one that would take more', () => {
    const patches = createPatches(8_000_000);
    expect(patches.allows(20_000, 0)).toBe(true);
    expect(patches.allows(20_001, 10)).toBe(false);
    expect(patches.suits(small, 509)).toBe(false);
    expect(patches.suits(small, 510)).toBe(true);
  });

  it('take less where the bitrate is lower', () => {
    const patches = createPatches(8_000_000);
    patches.setBitrate(1_000_000);
    expect(patches.allows(20_000, 0)).toBe(false);
    expect(patches.allows(2500, 0)).toBe(true);
  });

  it('take a quarter of the bitrate together, whatever moves for how long', () => {
    const patches = createPatches(8_000_000);
    let sent = 0;
    for (let now = 0; now < 60_000; now += 16)
      if (patches.suits(small, now) && patches.allows(10_000, now)) sent += 10_000;
    expect(sent / 60).toBeGreaterThan(100_000);
    expect(sent / 60).toBeLessThanOrEqual(255_000);
  });
});

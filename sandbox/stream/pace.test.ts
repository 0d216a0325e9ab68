import { describe, expect, it } from 'vitest';
import { createPace } from './pace.ts';

/** Makes pictures whenever it may, and returns when. */
function pictures(pace: ReturnType<typeof createPace>, from: number, until: number, costMs: number): number[] {
  const at: number[] = [];
  for (let now = from; now < until; now += 1) {
    if (pace.wait(now) > 0) continue;
    pace.took(now, costMs);
    at.push(now);
  }
  return at;
}

describe('the pace of pictures', () => {
  it('lets the first through at once, and one more right behind it', () => {
    const [first, second, third] = pictures(createPace(30), 1000, 1100, 5);
    expect([first, second]).toEqual([1000, 1008]);
    expect(third).toBeGreaterThanOrEqual(1033);
  });

  it('is the rate that was asked for, in the long run', () => {
    expect(pictures(createPace(30), 0, 10_000, 5).length).toBeCloseTo(301, -1);
    expect(pictures(createPace(60), 0, 10_000, 5).length).toBeCloseTo(601, -1);
  });

  it('holds up nothing that is drawn at that rate, even if now and then one is early', () => {
    const pace = createPace(30);
    for (let n = 0; n < 100; n++) {
      const now = n * 33.4 + (n % 3) * 8;
      expect(pace.wait(now)).toBe(0);
      pace.took(now, 5);
    }
  });

  it('is slower where a picture takes long, so that half a core stays free', () => {
    expect(pictures(createPace(60), 0, 10_000, 40).length).toBeLessThan(130);
  });
});

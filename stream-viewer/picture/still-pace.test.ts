import { expect, it } from 'vitest';
import { firstPace, nextPace, pauseAfter, wantsRest } from './still-pace.ts';

function after(...times: number[]) {
  return times.reduce(nextPace, firstPace);
}

it('takes 10 from the quality for a slow still, and adds 5 for a quick one', () => {
  expect(after(501).quality).toBe(firstPace.quality - 10);
  expect(after(299).quality).toBe(firstPace.quality + 5);
  expect(after(400)).toEqual(firstPace);
});

it('makes the picture smaller when the poorest is still too slow, and larger again before it gets better', () => {
  const worst = after(...Array<number>(20).fill(900));
  expect(worst.quality).toBe(20);
  expect(worst.width).toBeCloseTo(0.4);
  const better = nextPace(worst, 100);
  expect(better.quality).toBe(20);
  expect(better.width).toBeGreaterThan(0.5);
});

it('asks at most ten times a second, and at least twice', () => {
  expect(pauseAfter(true)).toBe(100);
  expect(pauseAfter(false)).toBeLessThanOrEqual(500);
});

it('wants a readable picture of a screen that rests, unless it has one', () => {
  expect(wantsRest({ quality: 30, width: 1 }, 2000)).toBe(true);
  expect(wantsRest({ quality: 30, width: 1 }, 200)).toBe(false);
  expect(wantsRest({ quality: 80, width: 1 }, 2000)).toBe(false);
});

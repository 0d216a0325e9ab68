import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRateLimit } from './rate-limit.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('gives a burst, then as much a second, and says how long to wait', () => {
  const limit = createRateLimit({ burst: 3, perSecond: 0.5 });
  expect([1, 1, 1, 1].map((cost) => limit.take('one', cost))).toEqual([0, 0, 0, 2]);
  vi.advanceTimersByTime(1999);
  expect(limit.take('one', 1)).toBe(1);
  vi.advanceTimersByTime(1);
  expect(limit.take('one', 1)).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect([1, 1, 1, 1].map((cost) => limit.take('one', cost))).toEqual([0, 0, 0, 2]);
});

it('is one for each name, and what is given back can be taken again, but no more than the burst', () => {
  const limit = createRateLimit({ burst: 2, perSecond: 1 });
  expect([limit.take('one', 2), limit.take('one', 1), limit.take('two', 1)]).toEqual([0, 1, 0]);
  limit.giveBack('one', 1);
  expect([limit.take('one', 1), limit.take('one', 1)]).toEqual([0, 1]);
  limit.giveBack('two', 100);
  expect([limit.take('two', 2), limit.take('two', 1)]).toEqual([0, 1]);
});

it('forgets whoever has a full budget again', () => {
  const limit = createRateLimit({ burst: 10, perSecond: 10 });
  for (let n = 0; n < 50_000; n++) {
    limit.take(`name ${n}`, 1);
    vi.advanceTimersByTime(1);
  }
  expect(limit.size).toBeLessThanOrEqual(1001);
  vi.advanceTimersByTime(1000);
  limit.take('another', 1);
  expect(limit.size).toBe(1);
});

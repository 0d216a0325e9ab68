import { expect, it } from 'vitest';
import { createPings } from './pings.ts';
import { createSlowLink } from './slow-link.ts';

it('calls a link slow after four answers of more than 150 ms in a row', () => {
  const link = createSlowLink();
  expect([200, 200, 200, 200].map((ms) => link.saw(ms))).toEqual([false, false, false, true]);
});

it('takes one slow answer for a keyframe passing by', () => {
  const link = createSlowLink();
  expect([200, 200, 200, 60, 200, 200, 200].some((ms) => link.saw(ms))).toBe(false);
});

it('counts an answer that is missing by its age', () => {
  let now = 1000;
  const pings = createPings(() => now);
  const first = pings.sent();
  now += 700;
  expect(pings.waiting()).toBe(700);
  pings.sent();
  now += 100;
  expect(pings.answered(first)).toBe(800);
  expect(pings.waiting()).toBe(100);
  expect(pings.answered(12_345)).toBeNull();
});

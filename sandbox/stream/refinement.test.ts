import { expect, it } from 'vitest';
import { createRefinement } from './refinement.ts';

it('a coarse picture is refined as often as there are bits for it, until it is fine', () => {
  const refinement = createRefinement();
  refinement.made(40, true, 0);
  expect([refinement.isDue(60), refinement.isDue(125)]).toEqual([false, true]);
  refinement.made(27, false, 125);
  expect(refinement.dueAt).toBe(250);
  refinement.made(22, false, 250);
  expect(refinement.dueAt).toBeUndefined();
});

it('a picture that never gets fine is refined more rarely after two seconds, and is left at that in the end', () => {
  const refinement = createRefinement();
  refinement.made(51, true, 0);
  const refinedAt: number[] = [];
  for (let at = refinement.dueAt; at !== undefined; at = refinement.dueAt) {
    refinedAt.push(at);
    refinement.made(51, false, at);
  }
  expect(refinedAt).toHaveLength(40);
  expect(refinedAt.filter((at) => at <= 2000)).toHaveLength(16);
  expect(refinedAt.at(-1)).toBe(26_000);
});

it('a screen that changes begins anew, and a fine picture needs nothing', () => {
  const refinement = createRefinement();
  refinement.made(40, true, 0);
  refinement.made(40, true, 90);
  expect(refinement.dueAt).toBe(215);
  refinement.made(20, true, 120);
  expect(refinement.dueAt).toBeUndefined();
});

it('an encoder that tells no quantiser is taken to be fine', () => {
  const refinement = createRefinement();
  refinement.made(null, true, 0);
  expect(refinement.dueAt).toBeUndefined();
});

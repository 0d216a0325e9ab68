import { expect, it } from 'vitest';
import { createRefinement } from './refinement.ts';

it('a coarse picture is refined ever more rarely, until it is fine', () => {
  const refinement = createRefinement();
  refinement.made(40, true, 0);
  expect([refinement.isDue(50), refinement.isDue(100)]).toEqual([false, true]);
  refinement.made(35, false, 100);
  expect(refinement.dueAt).toBe(300);
  refinement.made(27, false, 300);
  expect(refinement.dueAt).toBeUndefined();
});

it('a picture that never gets fine is left at that after five times', () => {
  const refinement = createRefinement();
  refinement.made(51, true, 0);
  let refined = 0;
  for (let at = refinement.dueAt; at !== undefined; at = refinement.dueAt) {
    refined += 1;
    refinement.made(51, false, at);
  }
  expect(refined).toBe(5);
});

it('a screen that changes begins anew, and a fine picture needs nothing', () => {
  const refinement = createRefinement();
  refinement.made(40, true, 0);
  refinement.made(40, true, 90);
  expect(refinement.dueAt).toBe(190);
  refinement.made(20, true, 120);
  expect(refinement.dueAt).toBeUndefined();
});

it('an encoder that tells no quantiser is taken to be fine', () => {
  const refinement = createRefinement();
  refinement.made(null, true, 0);
  expect(refinement.dueAt).toBeUndefined();
});

import { expect, it } from 'vitest';
import { createReconnectBudget } from './reconnect-budget.ts';

function all(next: () => number | null): number[] {
  const waits: number[] = [];
  for (let wait = next(); wait !== null; wait = next()) waits.push(wait);
  return waits;
}

it('waits longer and longer, a minute and a half in all, and then no more', () => {
  const waits = all(createReconnectBudget(() => 0.5).next);
  expect(waits.slice(0, 5)).toEqual([250, 500, 1000, 2000, 4000]);
  const sum = waits.reduce((a, b) => a + b, 0);
  expect(sum).toBeGreaterThan(80_000);
  expect(sum).toBeLessThan(100_000);
});

it('gives everything back when a picture was painted', () => {
  const budget = createReconnectBudget(() => 0.5);
  all(budget.next);
  budget.reset();
  expect(budget.next()).toBe(250);
});

it('spreads fifty viewers that were dropped at once', () => {
  const first = Array.from({ length: 50 }, () => createReconnectBudget().next());
  expect(new Set(first).size).toBeGreaterThan(10);
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../store/database.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { blockBudget, type RateBudget, secondsBlocked, takeFromBudget } from './rate-budget.ts';

let test: TestDatabase;
let database: Database;

beforeAll(async () => {
  test = await testDatabase();
  database = await openDatabase(test.url);
});

afterAll(async () => {
  await database.close();
  await test.close();
});

const budget = (key: string, rest: Partial<RateBudget> = {}): RateBudget => ({
  organisation: 'acme',
  key,
  perMinute: 60,
  burst: 10,
  ...rest,
});

async function takeMany(from: RateBudget, n: number, urgency: 'may' | 'must'): Promise<number> {
  const waits = await Promise.all(Array.from({ length: n }, () => takeFromBudget(database, from, urgency)));
  return waits.filter((seconds) => seconds === 0).length;
}

it('gives a burst, leaves a part of it to those who must, and says how long to wait', async () => {
  const from = budget('one', { perMinute: 1 });
  expect(await takeMany(from, 20, 'may')).toBe(6);
  expect(await takeFromBudget(database, from, 'may')).toBeGreaterThan(0);
  expect(await takeMany(from, 20, 'must')).toBe(20);
});

it('fills up again with time, and what those who must have drawn is made good first', async () => {
  const from = budget('two', { perMinute: 6000 });
  expect(await takeMany(from, 40, 'must')).toBe(40);
  await expect.poll(() => takeFromBudget(database, from, 'may')).toBe(0);
});

it('is one for each key', async () => {
  await takeMany(budget('three', { perMinute: 1 }), 20, 'may');
  expect(await takeMany(budget('four', { perMinute: 1 }), 20, 'may')).toBe(6);
});

it('keeps everybody waiting once the platform has asked for it, and then no longer', async () => {
  await blockBudget(database, 'acme', 'five', 30);
  await blockBudget(database, 'acme', 'five', 0.1);
  expect(await secondsBlocked(database, 'acme', 'five')).toBeGreaterThan(10);
  const wait = await takeFromBudget(database, budget('five'), 'must');
  expect(wait).toBeGreaterThan(10);
  expect(wait).toBeLessThanOrEqual(30);
  await blockBudget(database, 'acme', 'six', 0.4);
  await expect.poll(() => takeFromBudget(database, budget('six'), 'must')).toBe(0);
  expect(await secondsBlocked(database, 'acme', 'six')).toBe(0);
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { expireLeases } from './expire-leases.ts';
import { claimLanes } from './lane.ts';
import { coreForTests, furnish } from './testing/core-for-tests.ts';

let database: TestDatabase;
let core: Core;
let close: () => Promise<void>;

beforeEach(async () => {
  database = await testDatabase();
  ({ core, close } = await coreForTests({ url: database.url }));
  await furnish(core, 'acme', [
    { id: 'w-busy', kind: 'ai', concurrency: 2 },
    { id: 'w-calm', kind: 'ai', concurrency: 2 },
  ]);
});

afterEach(async () => {
  await close();
  await database.close();
});

async function ready(owner: string, count: number, ago: string): Promise<void> {
  await core.database.query(
    `insert into lane (organisation, kind, owner, thread, ready_at)
     select 'acme', 'activation', $1, 't-' || $1 || n, now() - $3::interval from generate_series(1, $2::int) n`,
    [owner, count, ago],
  );
}

describe('claiming lanes', () => {
  it('gives no worker more than it may run at once, and does not starve the others behind a long queue', async () => {
    await ready('w-busy', 500, '1 hour');
    await ready('w-calm', 1, '1 second');
    const first = await claimLanes(core.database, 'activation', 'a', 16);
    expect(first.map((lane) => lane.owner).sort()).toEqual(['w-busy', 'w-busy', 'w-calm']);
    expect(await claimLanes(core.database, 'activation', 'b', 16)).toEqual([]);
  });

  it('gives each lane to one of many who ask at once', async () => {
    await core.database.query(`update worker set concurrency = 100`);
    await ready('w-busy', 40, '1 second');
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, n) => claimLanes(core.database, 'activation', `p${n}`, 10)),
    );
    const threads = claims.flat().map((lane) => lane.thread);
    expect(new Set(threads).size).toBe(threads.length);
    const rest = await claimLanes(core.database, 'activation', 'last', 100);
    expect(threads.length + rest.length).toBe(40);
  });

  it('gives what a dead core held to its successor at once, as taken over', async () => {
    await ready('w-calm', 2, '1 second');
    await claimLanes(core.database, 'activation', 'dead', 2);
    expect(await claimLanes(core.database, 'activation', 'next', 2)).toEqual([]);
    expect(await expireLeases(core.database)).toBe(2);
    const claimed = await claimLanes(core.database, 'activation', 'next', 2);
    expect(claimed.map((lane) => lane.takenOver)).toEqual([true, true]);
  });

  it('gives a lane whose holder is silent to another, with a higher fence, and says that it was taken over', async () => {
    await ready('w-calm', 1, '1 second');
    const [first] = await claimLanes(core.database, 'activation', 'a', 1);
    await core.database.query(
      `update lane set lease_until = now() - interval '1 s', ready_at = now() - interval '1 s'`,
    );
    const [second] = await claimLanes(core.database, 'activation', 'b', 1);
    expect(second?.fence).toBe((first?.fence ?? 0) + 1);
    expect([first?.takenOver, second?.takenOver]).toEqual([false, true]);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterEach, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import type { Door } from '../delivery/door.ts';
import { startOutbox } from '../delivery/outbox.ts';
import { startDispatcher } from '../dispatch/dispatcher.ts';
import { claimLanes, type LaneKind } from '../dispatch/lane.ts';
import { coreForTests, eventually, furnish } from '../dispatch/testing/core-for-tests.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { workerNamed } from '../streams/address.ts';
import { append } from '../streams/append.ts';
import { findPlace } from '../streams/find-place.ts';
import { testDatabase } from './testing/test-database.ts';

/*
 * A house is empty when its statements are planned first, and the plans are kept until autovacuum has looked at the tables, a minute or
 * more later. A plan that is good for empty tables alone reads them whole for every message of the first busy minutes.
 */

const organisation = 'acme';
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: { runtime?: Runtime; doors?: Door[] } = {}): Promise<{ core: Core; url: string }> {
  const database = await testDatabase();
  cleanups.push(() => database.close());
  const { core, close } = await coreForTests({ url: database.url, ...options });
  cleanups.push(close);
  await furnish(core, organisation, [
    { id: 'w-ada', kind: 'human' },
    { id: 'w-echo', kind: 'ai', concurrency: 8 },
  ]);
  return { core, url: database.url };
}

/** Rows of messages that were answered long ago, so many of each table; what refers to what is not checked. */
async function fill(url: string, rows: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const thread = `'t-' || n % (${rows} / 4)`;
  const statements = [
    `insert into thread (organisation, id, stream) select '${organisation}', 't-' || n, 's-mail' from n`,
    `insert into thread_binding (organisation, binding, external_id, thread) select '${organisation}', 'b-mail', 'old-' || n, 't-' || n from n`,
    `insert into participant (organisation, thread, worker) select '${organisation}', 't-' || n, 'w-echo' from n`,
    `insert into receipt (organisation, binding, external_id, event) select '${organisation}', 'b-mail', 'old-' || n, 'e-' || n from n`,
    `insert into event (organisation, id, stream, position, thread, source_kind, origin, body)
       select '${organisation}', 'e-' || n, 's-mail', -n, ${thread}, 'human', 'e-' || n, 'old' from n`,
    `insert into trigger (organisation, event, worker, thread, position, state, activation)
       select '${organisation}', 'e-' || n, 'w-echo', ${thread}, n, 'done', 'a-' || n from n`,
    `insert into activation (organisation, id, worker, stream, thread, state, origin)
       select '${organisation}', 'a-' || n, 'w-echo', 's-mail', ${thread}, 'done', 'e-' || n from n`,
    `insert into delivery (organisation, id, binding, thread, event, activation, position, state)
       select '${organisation}', 'd-' || n, 'b-mail', ${thread}, 'e-' || n, 'a-' || n, n, 'delivered' from n`,
    `insert into delivery (organisation, id, binding, thread, event, activation, position, state)
       select '${organisation}', 'd-queued-' || n, 'b-away', ${thread}, 'e-' || n, 'a-' || n, n, 'queued' from n`,
    `insert into trigger (organisation, event, worker, thread, position, state)
       select '${organisation}', 'e-' || n, 'w-busy', ${thread}, n, 'waiting' from n`,
    `insert into activation (organisation, id, worker, stream, thread, state, origin)
       select '${organisation}', 'a-waiting-' || n, 'w-busy', 's-mail', ${thread}, 'waiting', 'e-' || n from n`,
    `insert into step (organisation, activation, number, stream, position, kind, content)
       select '${organisation}', 'a-' || n, 1, 's-activation-w-echo', -n, 'end', '{}' from n`,
    `insert into lane (organisation, kind, owner, thread) select '${organisation}', 'activation', 'w-echo', 't-' || n from n`,
    `insert into lane (organisation, kind, owner, thread) select '${organisation}', 'delivery', 'b-mail', 't-' || n from n`,
  ];
  try {
    await client.query(`set session_replication_role = replica`);
    for (const statement of statements)
      await client.query(`with n as (select generate_series(1, ${rows}) as n) ${statement}`);
  } finally {
    await client.end();
  }
}

it.each([
  ['were planned', null],
  // Statistics of a quiet time, until autovacuum comes again: nothing was open then, nothing waited.
  ['and its statistics were made', 'analyze'],
])(
  'reads no more for a message when the house has filled since its statements %s',
  { timeout: 60_000 },
  async (_when, statistics) => {
    const sent = new Set<string>();
    const door: Door = {
      kind: 'mail',
      drafts: true,
      async deliver({ thread, event }) {
        if (event) sent.add(thread);
        return { externalId: `sent-${thread}` };
      },
    };
    // Long enough that the reply is shown while it is written.
    const slow: Runtime = {
      name: 'slow',
      run: async ({ write }) => {
        write('He');
        await sleep(300);
        return { text: 'Here.' };
      },
    };
    const { core, url } = await open({ doors: [door], runtime: slow });
    const outbox = startOutbox(core);
    cleanups.push(() => outbox.stop(0));
    const tools = { open: () => Promise.reject(new Error('none')), isIdempotent: () => false };
    const dispatcher = startDispatcher(core, { slots: 8, tools, outbox });
    cleanups.push(() => dispatcher.stop(0));

    const atOnce = 12;
    const round = async (name: string) => {
      const threads = await Promise.all(
        Array.from({ length: atOnce }, async (_, n) => {
          const id = `${name}-${n}`;
          const sender = { platform: 'mail', externalId: 'ada@acme.example', name: 'Ada', verified: true };
          await findPlace(core.database, {
            ...{ organisation, kind: 'mail', externalId: 'assistant', threadPlace: id },
            message: { sender, body: 'hello', receipts: [id] },
          });
          const { thread } = await append(core, {
            ...{ organisation, stream: 's-mail', author: 'w-ada', sourceKind: 'human', addressed: ['w-echo'] },
            ...{ cameBy: 'b-mail', receipts: [id], threadPlace: { binding: 'b-mail', externalId: id } },
            message: { body: 'hello' },
          });
          return thread;
        }),
      );
      await eventually(async () => threads.every((thread) => sent.has(thread)));
    };
    // Every connection of the pool plans what it is asked.
    for (let n = 0; n < 5; n++) await round(`empty${n}`);
    if (statistics) await core.database.query(statistics);
    const rows = 8000;
    await fill(url, rows);
    await settle(core);
    const before = await tuplesRead(core);
    await round('full');
    await settle(core);
    const each = ((await tuplesRead(core)) - before) / atOnce;
    // One table read whole for each message would be `rows`. It is 200 to 400: what a message needs, and what is looked for by the clock
    // meanwhile, which is more on a busy machine.
    expect(each).toBeGreaterThan(10);
    expect(each).toBeLessThan(rows / 4);
  },
);

it.each<LaneKind>(['activation', 'delivery'])(
  'claims lanes of %s without walking through all that wait, planned when none did',
  async (kind) => {
    const { core } = await open();
    const blocks = await core.database.transaction(async (tx) => {
      const claim = () => claimLanes(tx, kind, 'a', 4);
      expect(await claim()).toEqual([]);
      await tx.query(
        `insert into lane (organisation, kind, owner, thread, ready_at)
         select $1, $2, case when $2 = 'activation' then 'w-echo' else 'b-mail' end, 't-' || n, now() - interval '1 second'
         from generate_series(1, 20000) n`,
        [organisation, kind],
      );
      const before = await blocksFetched(tx, 'lane');
      expect(await claim()).toHaveLength(4);
      return (await blocksFetched(tx, 'lane')) - before;
    });
    expect(blocks).toBeGreaterThan(0);
    expect(blocks).toBeLessThan(150);
  },
);

it('finds who is named at the head of a message without looking at all names', async () => {
  const { core } = await open();
  const blocks = await core.database.transaction(async (tx) => {
    const find = () =>
      tx.query<{ id: string | null }>(`select ${workerNamed('$1', '$2::json')} as id`, [
        organisation,
        JSON.stringify(['echo', 'echo 77', 'nobody']),
      ]);
    expect(await find()).toEqual([{ id: 'w-echo' }]);
    await tx.query(
      `insert into worker (organisation, id, name, kind) select $1, 'w-' || n, 'Echo ' || n, 'ai' from generate_series(1, 5000) n`,
      [organisation],
    );
    const before = await blocksFetched(tx, 'worker');
    expect(await find()).toEqual([{ id: 'w-77' }]);
    return (await blocksFetched(tx, 'worker')) - before;
  });
  expect(blocks).toBeGreaterThan(0);
  expect(blocks).toBeLessThan(20);
});

/** Blocks of a table and its indexes that this transaction has looked at. */
async function blocksFetched(tx: Pick<Core['database'], 'query'>, table: 'lane' | 'worker'): Promise<number> {
  const [row] = await tx.query<{ blocks: number }>(
    `select sum(pg_stat_get_xact_blocks_fetched(oid))::int as blocks from pg_class
     where oid = $1::regclass or oid in (select indexrelid from pg_index where indrelid = $1::regclass)`,
    [table],
  );
  return row?.blocks ?? 0;
}

/** Rows and index entries that all connections have read so far, in the tables of the house. */
async function tuplesRead(core: Core): Promise<number> {
  const [row] = await core.database.query<{ tuples: number }>(
    `select (select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_user_tables)
       + (select sum(idx_tup_read) from pg_stat_user_indexes) as tuples`,
  );
  return row?.tuples ?? 0;
}

/** A server process tells of what it has read when it is asked something a second after it last did. */
async function settle(core: Core): Promise<void> {
  await sleep(1100);
  await Promise.all(Array.from({ length: 10 }, () => core.database.query('select pg_sleep(0.1)')));
  await sleep(50);
}

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import { type TestDatabase, testDatabase } from './testing/test-database.ts';

let test: TestDatabase;
let database: Database;

beforeAll(async () => {
  test = await testDatabase();
  database = await openDatabase(test.url);
  await database.query('create table note (id int primary key, body text)');
});

afterAll(async () => {
  await database.close();
  await test.close();
});

const notes = async () => (await database.query<{ id: number }>('select id from note order by id')).map(({ id }) => id);

it('a transaction whose statements are sent together commits all of them, and answers in their order', async () => {
  const [first, second] = await database.transaction((tx) =>
    tx.commitWith<[{ id: number }, { count: number }]>(
      ['insert into note (id) values ($1) returning id', [1]],
      ['select count(*) as count from note'],
    ),
  );
  expect([first, second]).toEqual([[{ id: 1 }], [{ count: 1 }]]);
});

it('when one of them fails nothing of the transaction remains, what stands behind it neither', async () => {
  const failing = database.transaction(async (tx) => {
    await tx.query('insert into note (id) values (10)');
    await tx.commitWith(['insert into note (id) values (11)'], ['select 1 / 0'], ['insert into note (id) values (12)']);
  });
  await expect(failing).rejects.toThrow('division by zero');
  expect(await notes()).toEqual([1]);
});

it('when one of several queries that were not awaited fails, nothing remains, and the connection is of use afterwards', async () => {
  const failing = database.transaction(async (tx) => {
    await Promise.all([tx.query('insert into note (id) values (20)'), tx.query('insert into note (id) values (1)')]);
  });
  await expect(failing).rejects.toThrow('duplicate key');
  expect(await notes()).toEqual([1]);
});

it('what is queried behind the commit is no part of the transaction and sees what it committed', async () => {
  const [, seen] = await database.transaction((tx) =>
    Promise.all([
      tx.commitWith(['insert into note (id) values (30)']),
      tx.query<{ id: number; inside: boolean }>(
        `select id, pg_current_xact_id_if_assigned() is not null as inside from note where id = 30`,
      ),
    ]),
  );
  expect(seen).toEqual([{ id: 30, inside: false }]);
});

it('work that throws rolls back', async () => {
  const failing = database.transaction(async (tx) => {
    await tx.query('insert into note (id) values (40)');
    throw new Error('on second thoughts');
  });
  await expect(failing).rejects.toThrow('on second thoughts');
  expect(await notes()).toEqual([1, 30]);
});

it.each([
  ['event', `select 1 from event where organisation = $1 and id = $2`],
  ['worker', `select 1 from worker where organisation = $1 and id = $2`],
  ['activation', `select 1 from activation where organisation = $1 and id = $2`],
  ['delivery', `select 1 from delivery where organisation = $1 and id = $2`],
])('the planner looks for a whole key in %s while it is still empty', async (table, query) => {
  await database.transaction(async (tx) => {
    await tx.query(`set local plan_cache_mode = force_generic_plan`);
    await tx.query(`prepare look_${table}(text, text) as ${query}`);
    const plan = await tx.query<{ 'QUERY PLAN': string }>(`explain execute look_${table}('default', 'x')`);
    const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(lines).toMatch(new RegExp(`using ${table}_pkey on ${table}`));
    expect(lines).toContain('(id = $2)');
    await tx.query(`deallocate look_${table}`);
  });
});

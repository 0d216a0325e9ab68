import { Client } from 'pg';
import { expect, test } from 'vitest';
import { emptyDatabase, type TestDatabase, testDatabase } from './test-database.ts';

async function query(database: TestDatabase, statement: string) {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

test('two databases made at once do not see each other', async () => {
  const both = await Promise.all([testDatabase(), testDatabase()]);
  await using one = both[0];
  await using other = both[1];
  await query(one, 'create table only_here ()');
  expect(await query(one, `select to_regclass('only_here') is not null as there`)).toEqual([{ there: true }]);
  expect(await query(other, `select to_regclass('only_here') is not null as there`)).toEqual([{ there: false }]);
});

test('an empty database has no table', async () => {
  await using database = await emptyDatabase();
  expect(await query(database, `select * from pg_tables where schemaname = 'public'`)).toEqual([]);
});

test('a closed database is gone although somebody is still connected to it', async () => {
  const database = await testDatabase();
  const client = new Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  await database.close();
  await expect(query(database, 'select 1')).rejects.toThrow('does not exist');
  await client.end().catch(() => {});
});

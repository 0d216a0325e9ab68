import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { openOrm } from './orm.ts';
import { emptyDatabase, type TestDatabase } from './testing/test-database.ts';

let empty: TestDatabase;

beforeAll(async () => {
  empty = await emptyDatabase();
});

afterAll(async () => {
  await empty.close();
});

describe('the migrations', () => {
  it('make exactly the schema that the entities describe, and go down to nothing', async () => {
    await migrate(empty.url);
    const orm = await openOrm(empty.url);
    try {
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('');
      await orm.migrator.down({ to: 0 });
      const tables = await orm.em.execute(
        `select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration'`,
      );
      expect(tables).toEqual([]);
      await orm.migrator.up();
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('');
    } finally {
      await orm.close();
    }
  });

  it('run once when several processes start together', async () => {
    await Promise.all([migrate(empty.url), migrate(empty.url), migrate(empty.url)]);
    const database = await openDatabase(empty.url);
    const rows = await database.query<{ n: number }>('select count(*) as n from migration');
    expect(rows[0]?.n).toBe(migrations.length);
    await database.close();
  });

  it('leave a database alone that a newer version has migrated', async () => {
    const database = await openDatabase(empty.url);
    await database.query(`insert into migration (name) values ('Migration99991231235959Later')`);
    await expect(migrate(empty.url)).rejects.toThrow(/newer version/);
    await database.query(`delete from migration where name like 'Migration9999%'`);
    await database.close();
  });
});

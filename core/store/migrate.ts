import { Client } from 'pg';
import { ConfigurationError } from '../errors.ts';
import { migrations } from './migrations/index.ts';
import { openOrm } from './orm.ts';

/** The advisory lock under which one process at a time migrates: "swbd" in ASCII. */
const migrationLock = 0x73776264;

/**
 * Brings the database's schema up to this version, one process at a time (others wait for it).
 *
 * @throws ConfigurationError when the database was migrated by a newer version: it is left alone.
 */
export async function migrate(url: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'switchboard migrate' });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    const { rows } = await client.query<{ present: boolean }>(
      `select to_regclass('public.migration') is not null as present`,
    );
    const known = new Set(migrations.map((migration) => migration.name));
    let applied = 0;
    if (rows[0]?.present) {
      const done = await client.query<{ name: string }>('select name from migration');
      const newer = done.rows.find((row) => !known.has(row.name));
      if (newer)
        throw new ConfigurationError(
          `the database was migrated by a newer version of Switchboard (${newer.name}): start that version, or restore a backup`,
          'schema_newer',
        );
      applied = done.rows.length;
    }
    if (applied === migrations.length) return;
    const orm = await openOrm(url);
    try {
      await orm.migrator.up();
    } finally {
      await orm.close();
    }
  } finally {
    await client.end();
  }
}

import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { databaseUrl, templateName } from './template-database.ts';

/** A database of a test's own. `await using` it, or close it in `afterAll`. */
export interface TestDatabase extends AsyncDisposable {
  /** postgres://…: the superuser's. */
  readonly url: string;
  /** Drops the database, whoever is still connected. */
  close(): Promise<void>;
}

/** A migrated database with nothing in it, cloned in about 0.1 s. One for a test file is meant. */
export async function testDatabase(): Promise<TestDatabase> {
  return create(`template ${templateName}`);
}

/** A database without a single table: for tests of the migrations. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return create('');
}

async function create(clause: string): Promise<TestDatabase> {
  const serverUrl = inject('testServerUrl');
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await administer(serverUrl, `create database ${name} ${clause}`);
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= administer(serverUrl, `drop database if exists ${name} with (force)`);
    return closed;
  };
  return { url: databaseUrl(serverUrl, name), close, [Symbol.asyncDispose]: close };
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

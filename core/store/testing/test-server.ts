import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedServer } from '../embedded/embedded-server.ts';
import { migrate } from '../migrate.ts';
import { killServer } from './kill-server.ts';
import { databaseUrl, templateName } from './template-database.ts';

/**
 * A program: one PostgreSQL for a whole test run, in a temporary folder, with the migrated template database. Prints its URL and
 * that folder as a line of JSON, and when its standard input ends, as it does however the run ends, stops the server and removes
 * the folder, with what tests that were interrupted left running in it.
 */
async function main(): Promise<void> {
  // whoever reads us may be gone
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const quiet = { info() {}, warn: console.error, error: console.error };
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-test-'));
  const inputEnded = once(process.stdin.resume(), 'end');
  try {
    await using server = await startEmbeddedServer({ dataDirectory: join(folder, 'run'), log: quiet, durable: false });
    // tests without a database go on, and those of the migrations can tell what is wrong
    await makeTemplate(server.url).catch((error) => console.error('no template database:', error));
    process.stdout.write(`${JSON.stringify({ url: server.url, folder })}\n`);
    await inputEnded;
  } finally {
    for (const name of await readdir(folder)) await killServer(join(folder, name));
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/**
 * The template gets its name when it is whole. Nobody may connect to it then: a connection to it would make every clone fail.
 */
async function makeTemplate(url: string): Promise<void> {
  await using client = await connect(url);
  const draft = `${templateName}_draft`;
  await client.query(`create database ${draft}`);
  await migrate(databaseUrl(url, draft));
  await client.query(`alter database ${draft} with is_template true allow_connections false`);
  await client.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [draft]);
  await client.query(`alter database ${draft} rename to ${templateName}`);
}

async function connect(url: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

await main();

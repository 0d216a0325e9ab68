import { join } from 'node:path';
import { Client } from 'pg';
import { readServerSecrets } from '../core/store/embedded/server-secrets.ts';

/** The URL of the database embedded in a data directory, at its present port. It holds the password. */
export async function embeddedUrl(dataDirectory: string): Promise<string> {
  const secrets = await readServerSecrets(dataDirectory);
  if (!secrets?.port) throw new Error(`there is no embedded database in ${join(dataDirectory, 'postgresql')} yet`);
  return `postgres://switchboard:${secrets.password}@127.0.0.1:${secrets.port}/switchboard`;
}

/** Runs one statement on a connection of its own and gives its rows, typed as the caller says, unchecked. */
export async function query<Row>(url: string, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(text, [...values])).rows as Row[];
  } finally {
    await client.end().catch(() => {});
  }
}

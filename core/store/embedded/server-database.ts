import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { ConfigurationError } from '../../errors.ts';
import type { RunningServer } from './adopt-or-start.ts';

type Address = Pick<RunningServer, 'port' | 'password'>;

/** The connection string of a database on the server. It holds the password. */
export function serverUrl(server: Address, database = 'switchboard'): string {
  return `postgres://switchboard:${server.password}@127.0.0.1:${server.port}/${database}`;
}

/**
 * Connects to the database `switchboard`, made if it is not there yet, and waits while the server recovers from the crash of one
 * of its processes. The connection's loss shows as its 'end' event.
 *
 * @throws ConfigurationError if the server has another password than postgresql.json
 */
export async function connectToDatabase(server: Address, applicationName: string): Promise<Client> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await connect(server, 'switchboard', applicationName);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === '3D000') await createDatabase(server, applicationName);
      else if (code === '28P01') throw wrongPassword(error);
      else if (code !== '57P03' || Date.now() > deadline) throw error;
      else await sleep(50);
    }
  }
}

async function connect(server: Address, database: string, applicationName: string): Promise<Client> {
  const client = new Client({
    connectionString: serverUrl(server, database),
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  // an 'error' that nobody hears would end the process
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function createDatabase(server: Address, applicationName: string): Promise<void> {
  const client = await connect(server, 'postgres', applicationName);
  try {
    await client.query('create database switchboard');
  } catch (error) {
    if ((error as { code?: string }).code !== '42P04') throw error;
  } finally {
    await client.end();
  }
}

function wrongPassword(cause: unknown): ConfigurationError {
  return new ConfigurationError(
    'the embedded database does not take the password in postgresql.json of the data directory: ' +
      'put the right file back, or stop everything, delete it and start again, and a new password is set.',
    'embedded_secrets',
    { cause },
  );
}

import { Client } from 'pg';
import { ConfigurationError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { connectOrStart, startEmbeddedServer } from './embedded/embedded-server.ts';

/** A database that answers: the one of DATABASE_URL, or the embedded one. */
export interface ReachedDatabase {
  /** A secret: it holds the password. */
  url: string;
  /** Stops the embedded server if this process is to stop it. Last of all. */
  stop(): Promise<void>;
}

/**
 * Reaches the database that the configuration names. `as: 'core'` holds the data directory for itself; `as: 'command'` works beside a
 * running core, and starts the embedded server for as long as it needs when none is up.
 *
 * @throws ConfigurationError in one sentence when it can't be reached, or another core holds the data directory.
 */
export async function reachDatabase(options: {
  databaseUrl: string | undefined;
  dataDirectory: string;
  as: 'core' | 'command';
  log: Log;
  onLost?: (error: Error) => void;
}): Promise<ReachedDatabase> {
  if (options.databaseUrl !== undefined) {
    await tryConnecting(options.databaseUrl);
    return { url: options.databaseUrl, stop: async () => undefined };
  }
  const open = options.as === 'core' ? startEmbeddedServer : connectOrStart;
  return await open({
    dataDirectory: options.dataDirectory,
    log: options.log,
    ...(options.onLost ? { onLost: options.onLost } : {}),
  });
}

async function tryConnecting(url: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'switchboard',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } catch (cause) {
    const { host, port, database } = client;
    const reason = cause instanceof Error ? cause.message || String(Reflect.get(cause, 'code')) : String(cause);
    throw new ConfigurationError(
      `DATABASE_URL does not lead to a database: ${host}:${port}/${database} says "${reason}"; mend it, or unset it to use the embedded database`,
      'database_unreachable',
      { cause },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

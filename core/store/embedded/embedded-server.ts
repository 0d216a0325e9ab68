import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '../../errors.ts';
import { adoptOrStart, type RunningServer } from './adopt-or-start.ts';
import { clusterDirectoryOf } from './cluster-files.ts';
import { type Holder, holderName, othersAreConnected, takeDataDirectoryLock } from './data-directory-lock.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import { explainFailure } from './explain-failure.ts';
import { findPostmaster } from './find-postmaster.ts';
import { stopPostmaster } from './run-postmaster.ts';
import { connectToDatabase, serverUrl } from './server-database.ts';
import { keepServerLogBounded } from './server-log.ts';
import { withStartLock } from './start-lock.ts';

/** What the embedded server is opened with. */
export interface EmbeddedServerOptions {
  /** DATA_DIR; made (mode 0700) if it is not there. The cluster lies in its `postgresql/`. */
  dataDirectory: string;
  log: EmbeddedLog;
  /** false: no fsync, for tests whose data nobody keeps. Default true. */
  durable?: boolean;
  /**
   * A core lost the data directory and cannot have it back: another core took it while the server was away. End the process.
   * Never called for what supervision can repair.
   */
  onLost?: (error: Error) => void;
}

/** A PostgreSQL server of our own that accepts connections. */
export interface EmbeddedServer {
  /** postgres://switchboard:<password>@127.0.0.1:<port>/switchboard; the same across restarts by supervision. A secret. */
  readonly url: string;
  /** false: it ran already (an orphan, or a core's) and was adopted. */
  readonly started: boolean;
  /** The server's process id; another after a restart by supervision. */
  readonly pid: number;
  /** Call it last, when nothing uses the database any more. Idempotent. Never throws. */
  stop(): Promise<void>;
}

/**
 * Starts or adopts the embedded server for a core, and holds the lock on the data directory. Should the server die it is started
 * again on the same port, so that pools reconnect. `stop()` stops it, adopted or not.
 *
 * @throws ConfigurationError: the data directory is in use by another core, or what is wrong with it
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const place = await prepare(options);
  let { server, client } = await openServer(place, 'core');
  const { started } = server;
  const stopping = new AbortController();
  let lost = false;
  let recovery = Promise.resolve();

  const superviseConnection = () =>
    client.once('end', () => {
      if (!stopping.signal.aborted) recovery = recover();
    });

  const recover = async () => {
    place.log.warn({ pid: server.pid }, 'the embedded PostgreSQL dropped the connection that holds the data directory');
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      try {
        const next = await openServer({ ...place, port: server.port }, 'core');
        if (next.server.port !== server.port) {
          await next.client.end();
          throw new ConfigurationError(`the embedded PostgreSQL moved to port ${next.server.port}`, 'embedded_moved');
        }
        ({ server, client } = next);
        superviseConnection();
        place.log.info({ pid: server.pid, restarted: server.started }, 'the embedded PostgreSQL is back');
        return;
      } catch (error) {
        place.log.error({ err: error }, 'the embedded PostgreSQL is not back yet');
        if (error instanceof ConfigurationError && /^(data_directory_in_use|embedded_moved)$/.test(error.code)) {
          lost = true;
          options.onLost?.(error);
          return;
        }
        await sleep(Math.min(100 * 2 ** attempt, 10_000), undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };

  superviseConnection();
  const endLogBound = keepServerLogBounded(place.dataDirectory);
  const stop = async () => {
    stopping.abort();
    endLogBound();
    await recovery;
    await client.end().catch(() => {});
    if (!lost) await locked(place, () => stopServer(place.cluster));
  };
  return makeHandle(() => server, started, stop, place.log);
}

/**
 * The same for a command of the CLI. Beside a running core it only connects. Else it starts the server or adopts an orphan, holds
 * the lock while it works, and leaves things as it found them: `stop()` stops what it started, unless another has come to use it.
 *
 * @throws ConfigurationError: another command kept the data directory for 10 s, or what is wrong with it
 */
export async function connectOrStart(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const place = await prepare(options);
  const { server, client, outcome } = await openServer(place, 'cli');
  // the command before us left the server running for us
  const stopsIt = outcome !== 'beside-core' && (server.started || outcome === 'taken-after-cli');
  const stop = async () => {
    await locked(place, async () => {
      const leave = !stopsIt || (await othersAreConnected(client).catch(() => true));
      await client.end().catch(() => {});
      if (!leave) await stopServer(place.cluster);
    });
  };
  return makeHandle(() => server, server.started, stop, place.log);
}

interface Place {
  dataDirectory: string;
  cluster: string;
  log: EmbeddedLog;
  durable: boolean;
  port?: number;
}

async function prepare(options: EmbeddedServerOptions): Promise<Place> {
  const dataDirectory = resolve(options.dataDirectory);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw explainFailure(dataDirectory, '', cause);
  });
  const cluster = clusterDirectoryOf(dataDirectory);
  return { dataDirectory, cluster, log: options.log, durable: options.durable ?? true };
}

/** A server, and on it a connection that holds the data directory's lock (or, of a CLI, stands beside a core that does). */
async function openServer(place: Place, holder: Holder) {
  const opened = await locked(place, async () => {
    const server = await adoptOrStart(place);
    try {
      return { server, client: await connectToDatabase(server, holderName(holder)) };
    } catch (error) {
      if (server.started) await stopServer(place.cluster);
      throw error;
    }
  });
  try {
    return { ...opened, outcome: await takeDataDirectoryLock(opened.client, holder, place.dataDirectory) };
  } catch (error) {
    await opened.client.end().catch(() => {});
    throw error;
  }
}

async function locked<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await withStartLock(place.dataDirectory, work);
  } catch (error) {
    const isSystemError = typeof (error as NodeJS.ErrnoException).syscall === 'string';
    throw isSystemError ? explainFailure(place.dataDirectory, '', error) : error;
  }
}

async function stopServer(cluster: string): Promise<void> {
  const running = await findPostmaster(cluster);
  if (running) await stopPostmaster(cluster, running.pid);
}

function makeHandle(
  server: () => RunningServer,
  started: boolean,
  stop: () => Promise<void>,
  log: EmbeddedLog,
): EmbeddedServer {
  let stopped: Promise<void> | undefined;
  return {
    url: serverUrl(server()),
    started,
    get pid() {
      return server().pid;
    },
    stop() {
      stopped ??= stop().catch((error) => log.error({ err: error }, 'the embedded PostgreSQL could not be stopped'));
      return stopped;
    },
  };
}

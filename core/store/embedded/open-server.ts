import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { ConfigurationError } from '../../errors.ts';
import { adoptOrStart, type RunningServer } from './adopt-or-start.ts';
import { clusterDirectoryOf } from './cluster-files.ts';
import { type Holder, holderName, type LockOutcome, takeDataDirectoryLock } from './data-directory-lock.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import { explainFolderFailure } from './explain-failure.ts';
import { findPostmaster } from './find-postmaster.ts';
import { stopPostmaster } from './run-postmaster.ts';
import { connectToDatabase, serverUrl } from './server-database.ts';
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
export interface EmbeddedServer extends AsyncDisposable {
  /** postgres://switchboard:<password>@127.0.0.1:<port>/switchboard; the same across restarts by supervision. A secret. */
  readonly url: string;
  /** false: it ran already (an orphan, or a core's) and was adopted. */
  readonly started: boolean;
  /** The server's process id; another after a restart by supervision. */
  readonly pid: number;
  /** Call it last, when nothing uses the database any more. Idempotent. Never throws. */
  stop(): Promise<void>;
}

/** A data directory and how its server is to be run. */
export interface Place {
  dataDirectory: string;
  cluster: string;
  log: EmbeddedLog;
  durable: boolean;
  port?: number;
}

/** Makes the data directory if it is not there. */
export async function prepare(options: EmbeddedServerOptions): Promise<Place> {
  const dataDirectory = resolve(options.dataDirectory);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw explainFolderFailure(dataDirectory, cause);
  });
  const cluster = clusterDirectoryOf(dataDirectory);
  return { dataDirectory, cluster, log: options.log, durable: options.durable ?? true };
}

/** A server, the connection that bears the lock (or stands beside a core's), and how asking for the lock ended. */
export interface OpenServer {
  server: RunningServer;
  client: Client;
  outcome: LockOutcome;
}

/** A server, and on it a connection that holds the data directory's lock (or, of a CLI, stands beside a core that does). */
export async function openServer(place: Place, holder: Holder): Promise<OpenServer> {
  const opened = await locked(place, () => adoptOrStartAndConnect(place, holderName(holder)));
  try {
    return { ...opened, outcome: await takeDataDirectoryLock(opened.client, holder, place.dataDirectory) };
  } catch (error) {
    await opened.client.end().catch(() => {});
    throw error;
  }
}

/** What was adopted may be ending just now: it refuses or drops us and is gone a moment later. */
async function adoptOrStartAndConnect(place: Place, applicationName: string) {
  for (const deadline = Date.now() + 10_000; ; await sleep(50)) {
    const server = await adoptOrStart(place);
    try {
      return { server, client: await connectToDatabase(server, applicationName) };
    } catch (cause) {
      if (server.started) await stopServer(place.cluster);
      if (cause instanceof ConfigurationError) throw cause;
      if (server.started || Date.now() > deadline) throw noAnswer(server.pid, cause);
    }
  }
}

function noAnswer(pid: number, cause: unknown): ConfigurationError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConfigurationError(
    `the embedded PostgreSQL (pid ${pid}) does not answer (${reason}): end that process and start again.`,
    'embedded_failed',
    { cause },
  );
}

/** Runs `work` under the start lock; a folder that cannot be used becomes a sentence that says so. */
export async function locked<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await withStartLock(place.dataDirectory, work);
  } catch (error) {
    const isSystemError = typeof (error as NodeJS.ErrnoException).syscall === 'string';
    throw isSystemError ? explainFolderFailure(place.dataDirectory, error) : error;
  }
}

/** Stops the data directory's server, if one runs. Call it under the start lock. */
export async function stopServer(cluster: string): Promise<void> {
  const running = await findPostmaster(cluster);
  if (running) await stopPostmaster(cluster, running.pid);
}

/** What the caller gets to hold. */
export function makeHandle(
  server: () => RunningServer,
  started: boolean,
  stop: () => Promise<void>,
  log: EmbeddedLog,
): EmbeddedServer {
  let stopped: Promise<void> | undefined;
  const stopOnce = () => {
    stopped ??= stop().catch((error) => log.error({ err: error }, 'the embedded PostgreSQL could not be stopped'));
    return stopped;
  };
  return {
    url: serverUrl(server()),
    started,
    get pid() {
      return server().pid;
    },
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}

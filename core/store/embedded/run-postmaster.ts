import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterArgument, clusterDirectoryOf, clusterName, serverEnvironment } from './cluster-files.ts';
import { explainServerFailure } from './explain-failure.ts';
import { isServerProcess, readPostmasterFile } from './find-postmaster.ts';
import { isAlive } from './process-identity.ts';
import type { ServerAccount } from './server-account.ts';
import type { ServerBinaries } from './server-binaries.ts';
import { openServerLog } from './server-log.ts';

/** Another process took the port between our look and the server's. Choose another. */
export class PortTakenError extends Error {}

/** What a server is started with. */
export interface PostmasterOptions {
  dataDirectory: string;
  binaries: ServerBinaries;
  account: ServerAccount | undefined;
  port: number;
  /** false: neither fsync nor full pages, for tests, whose data nobody keeps. */
  durable: boolean;
}

/**
 * Starts the server of an initialised cluster and waits until it accepts connections, through a recovery of any length. It leads
 * a process session of its own, so that a Ctrl-C on our terminal does not reach it, and outlives us if we are killed.
 *
 * @returns its process id
 * @throws PortTakenError; ConfigurationError saying what to do
 */
export async function startPostmaster(options: PostmasterOptions): Promise<number> {
  const { dataDirectory, account } = options;
  const cluster = clusterDirectoryOf(dataDirectory);
  const log = await openServerLog(dataDirectory);
  try {
    const child = spawn(
      options.binaries.postgres,
      ['-D', clusterArgument(cluster), ...(await settings(options, cluster))],
      {
        ...account,
        cwd: cluster,
        env: serverEnvironment,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    child.unref();
    await once(child, 'spawn');
    await untilReady(child, cluster);
    return child.pid ?? 0;
  } catch (cause) {
    const output = await log.written();
    if (/could not bind|could not create any TCP\/IP sockets/.test(output)) throw new PortTakenError(output, { cause });
    throw explainServerFailure(dataDirectory, output, cause);
  } finally {
    await log.close();
  }
}

async function settings(options: PostmasterOptions, cluster: string): Promise<string[]> {
  const values: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    // a socket's path may have 107 bytes, a data directory's any number
    unix_socket_directories: '',
    cluster_name: await clusterName(cluster),
    max_connections: '100',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function untilReady(child: ChildProcess, cluster: string): Promise<void> {
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  for (;;) {
    const file = await readPostmasterFile(cluster);
    if (file?.pid === child.pid && file?.ready) return;
    if (ended || child.exitCode !== null || child.signalCode !== null)
      throw new Error('the server ended while starting');
    await sleep(5);
  }
}

/**
 * Ends a server: a fast shutdown (SIGINT: open transactions are rolled back, everything is on disk), then after 20 s an immediate
 * one (SIGQUIT: the next start recovers), then SIGKILL. Returns once it is gone; does nothing to a process that is not the
 * cluster's.
 */
export async function stopPostmaster(clusterDirectory: string, pid: number): Promise<void> {
  for (const [signal, limit] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5000],
    ['SIGKILL', 5000],
  ] as const) {
    if (await signalAndWait(clusterDirectory, pid, signal, limit)) return;
  }
}

/** Sends a signal to a server process of the cluster and tells whether it was gone within `limit` milliseconds. */
export async function signalAndWait(
  clusterDirectory: string,
  pid: number,
  signal: NodeJS.Signals,
  limit: number,
): Promise<boolean> {
  if (!(await isServerProcess(pid, clusterDirectory))) return true;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  const deadline = Date.now() + limit;
  while (Date.now() < deadline) {
    await sleep(10);
    // not isServerProcess: a process that is ending has no command line any more
    if (!(await isAlive(pid))) return true;
  }
  return false;
}

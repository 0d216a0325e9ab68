import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterDirectoryOf } from './cluster-files.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import { findPostmaster, findServerProcesses, type Postmaster, readPostmasterFile } from './find-postmaster.ts';
import { findFreePort } from './free-port.ts';
import { clusterExists, initialiseCluster } from './initialise-cluster.ts';
import { reachableBinaries } from './reachable-binaries.ts';
import { resetPassword } from './reset-password.ts';
import { PortTakenError, signalAndWait, startPostmaster, stopPostmaster } from './run-postmaster.ts';
import { chooseServerAccount, giveTo } from './server-account.ts';
import { findServerBinaries } from './server-binaries.ts';
import { makePassword, readServerSecrets, type ServerSecrets, writeServerSecrets } from './server-secrets.ts';

/** A server that accepts connections. */
export interface RunningServer {
  pid: number;
  port: number;
  password: string;
  /** false: it ran already and was adopted. */
  started: boolean;
}

/** How a server is to be run, should it not run yet. */
export interface RunOptions {
  dataDirectory: string;
  log: EmbeddedLog;
  durable: boolean;
  /** The one port to use; without it the last one if it is free, else another. */
  port?: number;
}

/**
 * Adopts the server of the data directory if one runs, an orphan for instance, and starts one if not: initialises, gives files to
 * the account that PostgreSQL runs as, clears up after a SIGKILL. Call it under the start lock.
 *
 * @throws PortTakenError if `port` is given and taken; ConfigurationError saying what to do
 */
export async function adoptOrStart(options: RunOptions): Promise<RunningServer> {
  const { dataDirectory } = options;
  const secrets = await readServerSecrets(dataDirectory);
  if (secrets) {
    const running = await findReadyPostmaster(clusterDirectoryOf(dataDirectory), options.log);
    if (running) {
      options.log.info({ pid: running.pid, port: running.port }, 'the embedded PostgreSQL runs already');
      return { pid: running.pid, port: running.port, password: secrets.password, started: false };
    }
  }
  return start(options, secrets);
}

/** Waits for a server that recovers or shuts down, which takes what it takes. */
async function findReadyPostmaster(cluster: string, log: EmbeddedLog): Promise<Postmaster | undefined> {
  for (let waited = 0; ; waited++) {
    const found = await findPostmaster(cluster);
    if (!found || found.ready) return found;
    if (waited === 200) log.info({ pid: found.pid }, 'waiting for the embedded PostgreSQL to recover or to end');
    await sleep(10);
  }
}

async function start(options: RunOptions, known: ServerSecrets | undefined): Promise<RunningServer> {
  const { dataDirectory, log, durable } = options;
  const cluster = clusterDirectoryOf(dataDirectory);
  const account = await chooseServerAccount(cluster);
  const binaries = await reachableBinaries(await findServerBinaries(), account, log);
  const password = known?.password ?? makePassword();
  if (await clusterExists(dataDirectory)) {
    if (account) await giveTo(account, cluster);
    // PostgreSQL insists; a copied or unpacked folder has the umask's mode
    await chmod(cluster, 0o700);
    await clearUp(cluster);
    if (!known) await resetPassword(dataDirectory, binaries, account, password);
  }
  if (!known) await writeServerSecrets(dataDirectory, { password });
  if (!(await clusterExists(dataDirectory)))
    await initialiseCluster(dataDirectory, binaries, account, password, durable);

  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort(attempt === 1 ? known?.port : undefined));
    try {
      const pid = await startPostmaster({ dataDirectory, binaries, account, port, durable });
      log.info({ pid, port }, 'the embedded PostgreSQL is started');
      if (port !== known?.port) await writeServerSecrets(dataDirectory, { password, port });
      return { pid, port, password, started: true };
    } catch (error) {
      if (!(error instanceof PortTakenError) || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

/**
 * Removes what stands in the way of a start: a server that nobody has the password of, children that outlived a killed postmaster
 * and hold its shared memory, and a postmaster.pid whose process id belongs to somebody else by now.
 */
async function clearUp(cluster: string): Promise<void> {
  const running = await findPostmaster(cluster);
  if (running) await stopPostmaster(cluster, running.pid);
  if (!(await readPostmasterFile(cluster))) return;
  // they notice the postmaster's death by themselves, all but one that is deep in a computation
  const deadline = Date.now() + 2000;
  while ((await findServerProcesses(cluster)).length > 0 && Date.now() < deadline) await sleep(20);
  await Promise.all((await findServerProcesses(cluster)).map((pid) => signalAndWait(cluster, pid, 'SIGKILL', 5000)));
  await rm(join(cluster, 'postmaster.pid'), { force: true });
}

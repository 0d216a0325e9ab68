import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterName } from './cluster-files.ts';
import { commandLine, isAlive, listProcesses } from './process-identity.ts';

/** The server process of a cluster, as its postmaster.pid tells. */
export interface Postmaster {
  pid: number;
  port: number;
  /** It accepts connections; before that it recovers, after that it shuts down. */
  ready: boolean;
}

/** Reads a cluster's postmaster.pid (line 1 pid, 4 port, 8 status), whether or not the process lives. */
export async function readPostmasterFile(clusterDirectory: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(clusterDirectory, 'postmaster.pid'), 'utf8').catch(() => undefined);
  const lines = text?.split('\n') ?? [];
  const pid = Number(lines[0]);
  return pid > 0 ? { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' } : undefined;
}

/** The living server of exactly this cluster. A process that merely has the same id by now is not it. */
export async function findPostmaster(clusterDirectory: string): Promise<Postmaster | undefined> {
  const found = await readPostmasterFile(clusterDirectory);
  return found && (await isServerProcess(found.pid, clusterDirectory)) ? found : undefined;
}

/** Whether a living process is a server process (the postmaster or a child of it) of exactly this cluster. */
export async function isServerProcess(pid: number, clusterDirectory: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  if (process.platform === 'win32') return true;
  const command = await commandLine(pid);
  return /postgres/.test(command) && namesCluster(command, await clusterName(clusterDirectory));
}

/** All living server processes of this cluster: what a killed postmaster leaves behind for a moment. */
export async function findServerProcesses(clusterDirectory: string): Promise<number[]> {
  const name = await clusterName(clusterDirectory);
  const pids = await listProcesses();
  const commands = await Promise.all(pids.map(commandLine));
  const matching = pids.filter((_, index) => namesCluster(commands[index] ?? '', name));
  const alive = await Promise.all(matching.map((pid) => isServerProcess(pid, clusterDirectory)));
  return matching.filter((_, index) => alive[index]);
}

function namesCluster(command: string, name: string): boolean {
  return new RegExp(`[ =]${name}(?:$|[ :])`).test(command);
}

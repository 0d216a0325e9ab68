import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** All processes below a living one, children of children included. Linux only: it reads /proc. */
export function findDescendants(pid: number): number[] {
  const parents = new Map(listProcesses().map((each) => [each, statOf(each)?.parent]));
  const below = (parent: number): number[] =>
    [...parents].filter(([, its]) => its === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/**
 * Every process of the database embedded in a data directory, whoever started it: PostgreSQL's processes work in their
 * cluster's directory, wherever the one in postmaster.pid has gone. A shell that stands there is not one.
 */
export function findDatabaseProcesses(dataDirectory: string): number[] {
  const cluster = orUndefined(() => realpathSync(join(dataDirectory, 'postgresql')));
  if (cluster === undefined) return [];
  return listProcesses().filter((pid) => {
    const name = orUndefined(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
    return name === 'postgres' && orUndefined(() => readlinkSync(`/proc/${pid}/cwd`)) === cluster;
  });
}

/** Whether a process runs; a zombie, dead and not yet reaped by its parent, does not. */
export function isRunning(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function listProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Fields 3 and 4 of proc_pid_stat(5); they are counted after the name, which may hold spaces and brackets. */
function statOf(pid: number): { state: string; parent: number } | undefined {
  const text = orUndefined(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const [state, parent] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === undefined ? undefined : { state, parent: Number(parent) };
}

/** Processes come and go while we look: what can no longer be read is not there. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

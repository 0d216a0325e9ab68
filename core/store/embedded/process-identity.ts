import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const linux = process.platform === 'linux';

/**
 * Whether a process runs. A zombie does not: in a container without an init nobody reaps an orphan, and `kill(pid, 0)` goes on
 * finding it.
 */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const state = linux ? (await readStat(pid))?.[0] : undefined;
  return state !== 'Z' && state !== 'X';
}

/** When a process began, in a form to compare: a process id that is used again differs. '' where the system does not tell. */
export async function processBirth(pid: number): Promise<string> {
  return linux ? ((await readStat(pid))?.[19] ?? '') : '';
}

/** A process's command line, arguments separated by spaces; '' if there is none to see. */
export async function commandLine(pid: number): Promise<string> {
  if (linux) return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
  if (process.platform === 'win32') return '';
  return (await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))).stdout;
}

/** The ids of all processes that can be seen; none where there is no /proc. */
export async function listProcesses(): Promise<number[]> {
  const names = linux ? await readdir('/proc').catch(() => []) : [];
  return names.map(Number).filter((pid) => pid > 0);
}

/** The fields of proc_pid_stat(5) from the third (state) on: the second may hold spaces and brackets. */
async function readStat(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

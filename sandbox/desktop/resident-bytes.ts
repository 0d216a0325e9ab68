import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * What a process of ours has in memory, the code that it runs included, in bytes: on Linux with what was swapped out (proc(5), status),
 * elsewhere as ps(1) says it, which leaves out what macOS has compressed. Undefined: it has ended, or this machine does not tell.
 */
export async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    return (process.platform === 'linux' ? await byStatus(pid) : await byPs(pid)) * 1024;
  } catch {
    return undefined;
  }
}

async function byStatus(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [resident = 0, swapped = 0] = ['VmRSS', 'VmSwap'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0),
  );
  return resident + swapped;
}

/** In kilobytes. */
export async function byPs(pid: number): Promise<number> {
  const { stdout } = await execute('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim());
}

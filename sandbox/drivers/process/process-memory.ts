import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { unlessGone } from './process-tree.ts';

/** The memory of one process of this host, in bytes. What it maps of files on a disk is not in it: the kernel takes that back at will. */
export interface ProcessMemory {
  pid: number;
  /** Nobody else's, in memory or swapped out. What a fork has not written to yet counts for both. */
  own: number;
  /** Resident and with no file on a disk behind it; other processes may have mapped the same pages, and each of them counts them whole. */
  shared: number;
}

/**
 * A mapping of memory that has no place in a file system (proc(5), smaps): by MAP_SHARED with MAP_ANONYMOUS, which may have been given a
 * name (prctl(2), PR_SET_VMA), by memfd_create(2) or shmget(2). Its first line ends with what is mapped; `Pss` is among those that follow.
 */
const withoutFile =
  /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ +(?:\/dev\/zero \(deleted\)|\[anon_shmem:|\/memfd:|\/SYSV).*\n(?:.+\n)*?Pss: +(\d+) kB$/gm;

/** Cheap: the kernel has counted it (proc(5), status). Undefined: the process has ended. */
export function processMemory(pid: number): ProcessMemory | undefined {
  const status = unlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (status === undefined) return undefined;
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { pid, own: bytes('RssAnon') + bytes('VmSwap'), shared: bytes('RssShmem') };
}

/**
 * This process's share of the memory that it maps and that no file system holds: each page by the number of those who have mapped it
 * (proc(5), smaps, "Pss"). Costly, the kernel goes through every page: some milliseconds for a browser's process.
 *
 * @returns undefined when the process has ended or may not be looked into
 */
export async function shareOfSharedMemory(pid: number): Promise<number | undefined> {
  const smaps = await readFile(`/proc/${pid}/smaps`, 'utf8').catch(() => undefined);
  if (smaps === undefined) return undefined;
  let bytes = 0;
  for (const [, kilobytes] of smaps.matchAll(withoutFile)) bytes += Number(kilobytes) * 1024;
  return bytes;
}

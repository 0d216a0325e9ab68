import { execFile } from 'node:child_process';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const program = join(import.meta.dirname, 'measure-folder.ts');
/** A home of millions of files takes tens of seconds. */
const measuredWithinMs = 120_000;
/** An empty file costs an inode and a name: as much as a block. */
const leastBytes = 4096;

/** What was found in a folder. */
export interface FolderSize {
  bytes: number;
  /** Whether a folder in it did not let this user look: what it holds is not counted. */
  shut: boolean;
}

/**
 * What a folder holds, as blocks on the disk. Links are not followed. What vanishes meanwhile counts nothing. Folders that their owner
 * has shut (mode 000) are looked into by a process that is root over what this user owns, in a user namespace (user_namespaces(7)), and
 * nothing of them is changed; where the kernel allows that to nobody, what they hold is not counted.
 */
export async function bytesIn(folder: string): Promise<number> {
  const { bytes, shut } = await sizeOf(folder);
  return shut ? Math.max(bytes, await bytesInShut(folder)) : bytes;
}

/** The same, of what this process may look into. */
export async function sizeOf(folder: string): Promise<FolderSize> {
  const found = { bytes: 0, shut: false };
  const skip = (error: NodeJS.ErrnoException): undefined => {
    if (error.code === 'EACCES') found.shut = true;
    else if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  };
  const entries = await opendir(folder).catch(skip);
  if (entries === undefined) return found;
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    const about = await lstat(path).catch(skip);
    if (about === undefined) continue;
    found.bytes += Math.max(about.blocks * 512, leastBytes);
    if (!entry.isDirectory()) continue;
    const below = await sizeOf(path);
    found.bytes += below.bytes;
    found.shut ||= below.shut;
  }
  return found;
}

async function bytesInShut(folder: string): Promise<number> {
  const asItsRoot = ['--user', '--map-root-user', process.execPath, program, folder];
  const options = { timeout: measuredWithinMs, env: { PATH: process.env.PATH } };
  const measured = await execute('unshare', asItsRoot, options).catch(() => undefined);
  return Number(measured?.stdout ?? 0);
}

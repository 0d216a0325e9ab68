import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How long recordings are kept, and how much room they may take together. */
export interface Retention {
  days: number;
  bytes: number;
}

/** A file that was written to so lately may still be growing. */
const growingMs = 120_000;

/**
 * Removes recordings that are too old, and then the oldest until the rest is small enough. One that is being written stays.
 *
 * @param folder holds nothing else, and no folders (sandbox/stream/recordings)
 * @returns how many were removed
 */
export async function pruneRecordings(folder: string, keep: Retention, now = Date.now()): Promise<number> {
  const files = await Promise.all((await readdir(folder)).map((name) => look(join(folder, name))));
  const newestFirst = files.filter((file) => file !== undefined).sort((a, b) => b.writtenAt - a.writtenAt);
  let bytes = 0;
  let removed = 0;
  for (const file of newestFirst) {
    const ageMs = now - file.writtenAt;
    const stays = ageMs < growingMs || (ageMs <= keep.days * 86_400_000 && bytes + file.bytes <= keep.bytes);
    if (stays) bytes += file.bytes;
    else {
      await rm(file.path, { force: true });
      removed += 1;
    }
  }
  return removed;
}

async function look(path: string): Promise<{ path: string; bytes: number; writtenAt: number } | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, bytes: size, writtenAt: mtimeMs };
  } catch (error) {
    // It was removed meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

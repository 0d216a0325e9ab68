import { readdir, stat } from 'node:fs/promises';
import { descendantsOf } from './process-tree.ts';

/**
 * What files hold that have no name any more but are open: no folder shows them, and they take room all the same. One that is only
 * mapped into memory is not found.
 *
 * @param first the sandbox's first process on this host
 * @param beside a path on the file system whose files count
 */
export async function bytesOfRemovedFiles(first: number, beside: string): Promise<number> {
  const { dev } = await stat(beside);
  const found = new Map<number, number>();
  for (const pid of descendantsOf(first)) {
    const folder = `/proc/${pid}/fd`;
    // Ended meanwhile, or one that nobody may look into.
    const open = await readdir(folder).catch(() => []);
    await Promise.all(
      open.map(async (name) => {
        const about = await stat(`${folder}/${name}`).catch(() => undefined);
        if (about?.isFile() && about.nlink === 0 && about.dev === dev) found.set(about.ino, about.blocks * 512);
      }),
    );
  }
  return [...found.values()].reduce((sum, bytes) => sum + bytes, 0);
}

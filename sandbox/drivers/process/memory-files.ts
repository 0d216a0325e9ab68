import { statfsSync, statSync } from 'node:fs';

/** Where a sandbox has file systems in memory (bubblewrap.ts) that its programs may write to. */
const folders = ['/tmp', '/dev/shm'];
/** statfs(2), TMPFS_MAGIC. */
const inMemory = 0x01021994;

/**
 * What the files of a sandbox hold that lie in memory, mapped or not, open and removed ones too.
 *
 * @param pid a process of this host that sees the sandbox's file system; while it still sees this host's, nothing is counted
 */
export function bytesInMemoryFiles(pid: number): number {
  let sum = 0;
  for (const folder of folders) {
    const seen = `/proc/${pid}/root${folder}`;
    try {
      const { type, blocks, bfree, bsize } = statfsSync(seen);
      if (type === inMemory && statSync(seen).dev !== statSync(folder).dev) sum += (blocks - bfree) * bsize;
    } catch {
      // It has ended, its file system is just being made, or nobody may look into it: each of these has a size of its own.
    }
  }
  return sum;
}

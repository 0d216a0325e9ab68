import { bytesInMemoryFiles } from './memory-files.ts';
import { processMemory, shareOfSharedMemory } from './process-memory.ts';
import { descendantsOf } from './process-tree.ts';

/** What the programs of a sandbox have in memory together. */
export interface SandboxMemory {
  /** Exact when it is more than was asked about; else no less than there is. */
  bytes: number;
  /** The process with the most of it. */
  largest: number | undefined;
}

/**
 * Measures whether a sandbox has more in memory than `limitBytes`. What processes share is first counted for each of them, which is cheap
 * and too much. Only if the limit is passed so, it is counted by shares, those first that have the most, until it fits or is exact.
 *
 * @param first the sandbox's first process on this host: its descendants are what is counted
 */
export async function measureMemory(first: number, limitBytes: number): Promise<SandboxMemory> {
  const pids = descendantsOf(first);
  const inside = pids.flatMap((pid) => processMemory(pid) ?? []);
  // The first below ours is the first of the sandbox's namespaces.
  let bytes = pids[0] === undefined ? 0 : bytesInMemoryFiles(pids[0]);
  for (const { own, shared } of inside) bytes += own + shared;

  for (const each of inside.sort((a, b) => b.shared - a.shared)) {
    if (bytes <= limitBytes || each.shared === 0) break;
    const share = (await shareOfSharedMemory(each.pid)) ?? each.shared;
    bytes -= each.shared - share;
    each.shared = share;
  }
  const largest = inside.sort((a, b) => b.own + b.shared - a.own - a.shared)[0]?.pid;
  return { bytes, largest };
}

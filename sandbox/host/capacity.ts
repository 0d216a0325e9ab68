import { availableParallelism, totalmem } from 'node:os';

/** A Desktop with a browser at work takes about so much. */
const bytesEach = 1.5 * 1024 ** 3;

/** A Desktop costs nothing while its screen is still, and half a core at full motion (docs/decisions: capture by damage). */
const eachCore = 4;

/** How many Desktops this machine, or the container that this is, can run at once. At least one. */
export function defaultCapacity(
  cores: number = availableParallelism(),
  memoryBytes: number = Math.min(totalmem(), constrainedMemory()),
): number {
  return Math.max(1, Math.min(cores * eachCore, Math.floor(memoryBytes / bytesEach)));
}

/** What the cgroup allows, in bytes; a limit that nobody set is reported as 0 or as far beyond what there is. */
function constrainedMemory(): number {
  const bytes = process.constrainedMemory();
  return bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
}

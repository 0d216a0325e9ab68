import { statfs } from 'node:fs/promises';
import { bytesIn } from './folder-size.ts';

/** How often the file system is asked how much is free: one system call. */
const lookEveryMs = 250;
/** A home is measured when so large a part of its limit has been written on its file system since the last time, … */
const suspiciousPart = 0.02;
/** … and otherwise this often; but measuring takes at most one part in ten of the time. */
const measureEveryMs = 30_000;
const pausePerMeasuring = 9;
/** A home that was full already may be opened, to delete from it; it may grow by this part of the limit. */
const slack = 0.05;

/** Watches over what a Desktop writes until it is stopped. */
export interface DiskWatch {
  /** Resolves with a sentence when there is more of it than the limit. */
  passed: Promise<string>;
  stop(): void;
}

/**
 * Watches how much is in a home, and in other folders that can be written from inside, since quotas of file systems are for their
 * administrators. The limit may be passed for as long as {@link lookEveryMs} and one measurement take.
 *
 * @param nameless how much is in files that are open inside and were removed, where that can be known
 */
export async function watchDisk(
  home: string,
  others: readonly string[],
  limitBytes: number,
  nameless: () => Promise<number> = async () => 0,
): Promise<DiskWatch> {
  const { promise: passed, resolve } = Promise.withResolvers<string>();
  const atMost = Math.max(limitBytes, (await bytesIn(home)) + limitBytes * slack);
  let free = await freeBytes(home);
  let measuredAt = performance.now();
  let notBefore = 0;
  let stopped = false;

  async function look(): Promise<void> {
    const start = performance.now();
    const written = free - (await freeBytes(home)) > limitBytes * suspiciousPart;
    if (start < notBefore || (!written && start - measuredAt < measureEveryMs)) return;
    free = await freeBytes(home);
    let held = await nameless();
    for (const folder of [home, ...others]) held += await bytesIn(folder);
    measuredAt = performance.now();
    notBefore = measuredAt + (measuredAt - start) * pausePerMeasuring;
    if (held > atMost) resolve(`its home holds ${megabytes(held)} and may hold ${megabytes(limitBytes)}`);
  }
  let timer = setTimeout(again, lookEveryMs);
  function again(): void {
    look()
      .catch((error: unknown) => resolve(`its home can no longer be measured: ${String(error)}`))
      .finally(() => {
        if (!stopped) timer = setTimeout(again, lookEveryMs);
      });
  }
  return {
    passed,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

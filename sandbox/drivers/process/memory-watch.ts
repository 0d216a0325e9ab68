import { freemem } from 'node:os';
import { measureMemory } from './sandbox-memory.ts';

/** How often the host is asked how much memory is free: one read. */
const lookEveryMs = 100;
/** The sandbox is measured when so large a part of its limit has been taken on the host since the last time, … */
const suspiciousPart = 0.05;
/** … and otherwise this often. */
const measureEveryMs = 5000;

/** Watches over a sandbox's memory until it is stopped. */
export interface MemoryWatch {
  /** Resolves with a sentence when the memory can no longer be measured. */
  failed: Promise<string>;
  stop(): void;
}

/**
 * Holds the memory of all programs of a sandbox together where no control group can: when they have more than `limitBytes`, the largest
 * one is killed, as the kernel would. What they take within {@link lookEveryMs} may be beyond it. (RLIMIT_DATA cannot do this: it counts
 * each process by itself, and Chromium does not start under any that would mean something.) Not seen is what no process has mapped and no
 * file of the sandbox's own /tmp and /dev/shm holds: a memfd that is only written to, a System V segment that nobody is attached to, a
 * file system in memory that a program mounts in a namespace of its own.
 *
 * @param first the sandbox's first process on this host: its descendants are what is counted
 */
export function watchMemory(first: number, limitBytes: number): MemoryWatch {
  const { promise: failed, resolve: tellFailed } = Promise.withResolvers<string>();
  let free = freemem();
  let measuredAt = 0;
  let stopped = false;

  async function look(): Promise<void> {
    const taken = free - freemem() > limitBytes * suspiciousPart;
    if (!taken && performance.now() - measuredAt < measureEveryMs) return;
    const { bytes, largest } = await measureMemory(first, limitBytes);
    free = freemem();
    measuredAt = performance.now();
    if (bytes > limitBytes && largest !== undefined && !stopped) kill(largest);
  }
  function again(): void {
    look()
      .catch((error: unknown) => tellFailed(`its memory can no longer be measured: ${String(error)}`))
      .finally(() => {
        if (!stopped) timer = setTimeout(again, lookEveryMs);
      });
  }
  let timer = setTimeout(again, lookEveryMs);
  return {
    failed,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

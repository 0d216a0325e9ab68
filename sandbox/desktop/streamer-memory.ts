import type { Logger } from 'pino';
import { residentBytes } from './resident-bytes.ts';

/** How much memory a streamer may take. Times in milliseconds. */
export interface StreamerMemory {
  limitBytes: number;
  lookEveryMs: number;
  /** After one was replaced the next may take more for so long, but never {@link mostTimes} as much. */
  restMs: number;
}

/**
 * Twice the most that was measured: 483 MiB at full motion in 3840×2400 and 478 MiB in 1920×1080, four viewers, recording, the last
 * minute kept for clips and made into one now and then; 220 MiB with a viewer and nothing else.
 */
export const usualStreamerMemory: StreamerMemory = { limitBytes: 1024 ** 3, lookEveryMs: 5000, restMs: 600_000 };

/** One that takes so many times the limit is replaced whenever that is. */
const mostTimes = 2;

/** Watches over the streamers of one Desktop, one after the other. */
export interface StreamerMemoryWatch {
  /**
   * Watches this process until the returned function is called, or until `passed` is, once, with a sentence: it takes more than it may and
   * is to be replaced. One that is to be let be for now is told to the log instead.
   */
  begin(pid: number, passed: (why: string) => void): () => void;
}

/**
 * A streamer that grows too large is replaced, which costs its viewers the picture for a moment. If the next one needs as much, that is
 * no cure: it is let be for {@link StreamerMemory.restMs}, so that viewers are not disturbed again and again.
 */
export function watchStreamerMemory(log: Logger, memory: StreamerMemory): StreamerMemoryWatch {
  let restUntil = Number.NEGATIVE_INFINITY;

  function begin(pid: number, passed: (why: string) => void): () => void {
    let last = 0;
    let told = false;
    let over = false;

    async function look(): Promise<void> {
      const now = (await residentBytes(pid)) ?? 0;
      // Making a clip takes more for a moment.
      const bytes = Math.min(last, now);
      last = now;
      if (over || bytes <= memory.limitBytes) return;
      const why = `it takes ${megabytes(bytes)} of memory and may take ${megabytes(memory.limitBytes)}`;
      if (performance.now() < restUntil && bytes <= memory.limitBytes * mostTimes) {
        if (!told)
          log.warn({ pid, why }, 'the streamer that has replaced one too large is so as well: it stays for now');
        told = true;
        return;
      }
      end();
      restUntil = performance.now() + memory.restMs;
      passed(why);
    }
    const timer = setInterval(() => void look(), memory.lookEveryMs).unref();
    function end(): void {
      over = true;
      clearInterval(timer);
    }
    return end;
  }
  return { begin };
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

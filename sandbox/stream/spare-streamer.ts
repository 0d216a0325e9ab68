import type { ChildProcess } from 'node:child_process';
import { forkStreamer, startStreamer } from './start-streamer.ts';
import type { Streamer, StreamerListener, StreamerOptions } from './streamer.ts';

/** Starts streamers out of a process that was there before it was needed. */
export interface SpareStreamer {
  /** A Desktop is coming, and soon somebody who looks at it: makes the spare process unless there is one. */
  prepare(): void;
  /** The process that waits, if there is one. */
  readonly pid: number | undefined;
  /** As {@link startStreamer}; the process that it takes is replaced when it runs. */
  start(options: StreamerOptions, listener: StreamerListener): Promise<Streamer>;
  /** Ends the spare process. None is made afterwards. */
  close(): void;
}

/**
 * Keeps one streamer process ready, its programs loaded: that is most of what a start takes (all but 0.05 s of 0.3 s; on a machine with four
 * times the work that it can do all but 0.2 s of 2 s) while somebody waits for a first picture, or to see a streamer that died replaced.
 * It knows nothing of any Desktop, and serves one only. It costs 62 MB of memory, 57 MB without an encoder, besides what all share.
 *
 * @param encodes whether this host has an encoder
 */
export function keepSpareStreamer(encodes: boolean): SpareStreamer {
  let spare: ChildProcess | undefined;
  let closed = false;

  function prepare(): void {
    if (closed || spare) return;
    const made = forkStreamer(encodes);
    spare = made;
    const gone = () => {
      // Not made anew before the next start: one that cannot live would be made for ever.
      if (spare === made) spare = undefined;
    };
    made.once('exit', gone).once('error', gone);
  }

  return {
    prepare,
    get pid() {
      return spare?.pid;
    },
    async start(options, listener) {
      const taken = spare;
      spare = undefined;
      try {
        return await startStreamer(options, listener, taken);
      } finally {
        prepare();
      }
    },
    close() {
      closed = true;
      spare?.kill('SIGKILL');
    },
  };
}

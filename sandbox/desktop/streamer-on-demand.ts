import type { Logger } from 'pino';
import type { Streamer, StreamerListener, StreamerOptions } from '../stream/streamer.ts';
import { type StreamerMemory, usualStreamerMemory, watchStreamerMemory } from './streamer-memory.ts';

/** Starts a streamer process (sandbox/stream/start-streamer.ts). */
export type StartStreamer = (options: StreamerOptions, listener: StreamerListener) => Promise<Streamer>;

/** What it is made with. */
export interface StreamerOnDemandOptions {
  start(): Promise<Streamer>;
  /** A streamer has begun: it knows nothing yet of who controls and what is recorded. */
  began(streamer: Streamer): void;
  /** It has ended. `unasked`: by itself, it was killed, it failed or it grew too large. */
  ended(unasked: boolean): void;
  /** Whether somebody watches or something is recorded, so that it must run. */
  isNeeded(): boolean;
  log: Logger;
  /** How long after the last use it is stopped, in milliseconds. */
  idleMs?: number;
  memory?: StreamerMemory;
}

/** A Desktop's streamer process: there when it is needed, and not otherwise. */
export interface StreamerOnDemand {
  /** The streamer, started if need be. Counts as a use. @throws what its start threw; after a failure only once the pause is over */
  use(): Promise<Streamer>;
  /** The one that runs now, if any. */
  readonly running: Streamer | undefined;
  /** Whether it is needed has changed. */
  review(): void;
  /** Ends it, and one that is just starting. Nothing is started afterwards. */
  stop(): Promise<void>;
}

/** One that ends sooner than this after its start has failed at something; the second such start in a row waits. */
const soundAfterMs = 5000;
/** The same for one that has grown too large: that takes a while to be noticed. */
const soundForSizeAfterMs = 60_000;
const firstPauseMs = 500;
const longestPauseMs = 10_000;

/**
 * Runs the streamer for the first use and ends it some time after the last. One that dies while it is needed is started again at once, so
 * that it is ready when the core dials its viewers anew; one that dies again and again is started more and more rarely. One that takes too
 * much memory is killed, and replaced in the same way.
 */
export function createStreamerOnDemand(options: StreamerOnDemandOptions): StreamerOnDemand {
  const { log, idleMs = 60_000, memory = usualStreamerMemory } = options;
  const watch = watchStreamerMemory(log, memory);
  let current: Promise<Streamer> | undefined;
  let running: Streamer | undefined;
  let idle: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  let failures = 0;
  let pauseMs = 0;
  let notBefore = 0;
  let stopped = false;

  /** The first time it may have been killed, and is wanted back at once. */
  function failedSoon(): void {
    failures += 1;
    pauseMs = failures === 1 ? 0 : Math.min(firstPauseMs * 2 ** (failures - 2), longestPauseMs);
    notBefore = performance.now() + pauseMs;
  }

  async function begin(): Promise<Streamer> {
    const wait = notBefore - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (stopped) throw new StoppedError();
    const begunAt = performance.now();
    let streamer: Streamer;
    try {
      streamer = await options.start();
    } catch (error) {
      current = undefined;
      failedSoon();
      throw error;
    }
    running = streamer;
    let tooLarge: string | undefined;
    const unwatch = watch.begin(streamer.pid, (why) => {
      tooLarge = why;
      kill(streamer.pid);
    });
    void streamer.ended.then((reason) => {
      unwatch();
      if (running !== streamer) return;
      if (tooLarge === undefined) log.warn({ pid: streamer.pid, reason }, 'the streamer has ended by itself');
      else log.warn({ pid: streamer.pid, why: tooLarge }, 'the streamer was too large and has been ended');
      over(performance.now() - begunAt < (tooLarge === undefined ? soundAfterMs : soundForSizeAfterMs));
    });
    if (stopped) await streamer.stop();
    else options.began(streamer);
    return streamer;
  }

  function over(soon: boolean): void {
    running = undefined;
    current = undefined;
    if (soon) failedSoon();
    else failures = 0;
    options.ended(true);
    if (options.isNeeded() && !stopped) ready();
  }

  /** Starts it before anybody asks. */
  function ready(): void {
    use().catch((err) => {
      if (stopped) return;
      log.error({ err }, 'the streamer does not start');
      again ??= setTimeout(() => {
        again = undefined;
        if (options.isNeeded() && !stopped) ready();
      }, pauseMs);
    });
  }

  function use(): Promise<Streamer> {
    if (stopped) return Promise.reject(new StoppedError());
    current ??= begin();
    restartIdle();
    return current;
  }

  function restartIdle(): void {
    clearTimeout(idle);
    if (!current) return;
    idle = setTimeout(() => {
      if (options.isNeeded()) restartIdle();
      else void rest();
    }, idleMs);
    idle.unref();
  }

  /** Ends it, as asked: whoever needs it next starts another. */
  async function rest(): Promise<void> {
    const ending = running;
    if (!ending) return;
    running = undefined;
    current = undefined;
    options.ended(false);
    await ending.stop();
  }

  return {
    use,
    get running() {
      return running;
    },
    review() {
      if (options.isNeeded() && !current && !stopped) ready();
      else restartIdle();
    },
    async stop() {
      stopped = true;
      clearTimeout(idle);
      clearTimeout(again);
      const starting = current;
      await rest();
      // That a start failed is told to whoever asked for it.
      await starting?.then((streamer) => streamer.stop()).catch(() => undefined);
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

/** The Desktop is ending: nothing is started for it any more. */
class StoppedError extends Error {
  constructor() {
    super('the Desktop has been stopped');
    this.name = 'StoppedError';
  }
}

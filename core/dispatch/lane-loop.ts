import type { Core } from '../core.ts';
import {
  claimLanes,
  extendLease,
  heartbeatMs,
  type Lane,
  type LaneKind,
  leaseSeconds,
  secondsUntilReady,
} from './lane.ts';
import { LeaseLost } from './steps.ts';

/** Why a handler is told to stop before its work is done. */
export class ProcessEnds extends Error {
  constructor() {
    super('this process is being stopped');
    this.name = 'ProcessEnds';
  }
}

/** Works off the Lanes of one kind in this process. */
export interface LaneLoop {
  /** How many Lanes are held now. */
  running(): number;
  /** No new claims; what runs gets `graceMs`, then its handler's signal is aborted with {@link ProcessEnds}. */
  stop(graceMs: number): Promise<void>;
}

/** What works off one claimed Lane and gives it back. It must end soon after its signal is aborted. */
export type LaneHandler = (lane: Lane, signal: AbortSignal) => Promise<void>;

/** Without any announcement somebody looks at least this often. */
const pollMs = 1000;
/** However much is announced, the next look comes so long after one that found nothing: what is new waits together. */
const restMs = 5;
/** How often it is asked when the next Lane becomes ready by the passing of time alone. */
const askMs = 200;
/** How long a handler may take to end once it has been told to. */
const abortGraceMs = 3000;

/**
 * Claims Lanes as they become ready, up to `slots` at once, keeps their leases alive while `handle` works, and aborts the handler
 * when a lease is lost. Told by announcements, with polling as the net.
 */
export function startLaneLoop(core: Core, options: { kind: LaneKind; slots: number; handle: LaneHandler }): LaneLoop {
  const running = new Map<Promise<void>, AbortController>();
  let stopped = false;
  let ticking = false;
  let again = false;
  let looking: Promise<void> = Promise.resolve();
  let resting = false;
  let timer: NodeJS.Timeout | undefined;
  let databaseAway = false;
  let nextReadyAt = 0;
  let askedAt = Number.NEGATIVE_INFINITY;

  function look(): void {
    if (ticking || resting) again = true;
    else if (!stopped) looking = tick();
  }

  async function tick(): Promise<void> {
    ticking = true;
    again = false;
    clearTimeout(timer);
    let nextMs = pollMs;
    let found = 0;
    try {
      const free = options.slots - running.size;
      if (free > 0) {
        const lanes = await claimLanes(core.database, options.kind, core.processName, free);
        found = lanes.length;
        for (const lane of lanes) hold(lane);
        // There may be more, or something that becomes ready soon.
        if (found > 0) again = true;
        else nextMs = await untilReady();
      }
      if (databaseAway) core.log.info({ lanes: options.kind }, 'the database answers again');
      databaseAway = false;
    } catch (error) {
      if (!databaseAway)
        core.log.error({ lanes: options.kind, err: error }, 'lanes could not be claimed; trying again');
      databaseAway = true;
    } finally {
      ticking = false;
      if (!stopped) rest(found > 0 ? 0 : restMs, nextMs);
    }
  }

  /** Looks again after `ms` if something was announced meanwhile, else when the next Lane is ready. */
  function rest(ms: number, nextMs: number): void {
    resting = true;
    timer = setTimeout(() => {
      resting = false;
      if (again) look();
      else timer = setTimeout(look, Math.max(nextMs - ms, 0));
    }, ms);
  }

  async function untilReady(): Promise<number> {
    const now = performance.now();
    if (now - askedAt > askMs) {
      askedAt = now;
      const seconds = await secondsUntilReady(core.database, options.kind);
      nextReadyAt = seconds === null ? Number.POSITIVE_INFINITY : now + seconds * 1000;
    }
    // Asked lately: what has become due since is found by the next asking.
    return Math.min(pollMs, nextReadyAt > now ? Math.max(nextReadyAt - now, 1) : askMs);
  }

  function hold(lane: Lane): void {
    const controller = new AbortController();
    let lastBeat = performance.now();
    const heart = setInterval(() => {
      extendLease(core.database, lane).then(
        (held) => {
          if (held) lastBeat = performance.now();
          else controller.abort(new LeaseLost());
        },
        () => {
          // The database is away: the lease is as good as lost once its time is over.
          if (performance.now() - lastBeat > leaseSeconds * 1000) controller.abort(new LeaseLost());
        },
      );
    }, heartbeatMs);
    const work = options
      .handle(lane, controller.signal)
      .catch((error: unknown) => {
        core.log.error({ ...lane, err: error }, 'a lane was left: its lease runs out and it is taken up again');
      })
      .finally(() => {
        clearInterval(heart);
        running.delete(work);
        if (!stopped) look();
      });
    running.set(work, controller);
  }

  const unlisten = core.waking.listen((claimable) => {
    if (claimable === options.kind || claimable === 'either') look();
  });
  look();

  return {
    running: () => running.size,
    async stop(graceMs) {
      stopped = true;
      unlisten();
      clearTimeout(timer);
      // What is being claimed at this moment is ours to finish, and the database is closed after us.
      await looking;
      await settledWithin([...running.keys()], graceMs);
      for (const controller of running.values()) controller.abort(new ProcessEnds());
      await settledWithin([...running.keys()], abortGraceMs);
    },
  };
}

async function settledWithin(work: Promise<void>[], ms: number): Promise<void> {
  if (work.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(work), limit]);
  clearTimeout(timer);
}

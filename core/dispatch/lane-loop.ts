import type { Core } from '../core.ts';
import {
  claimLanes,
  extendLease,
  heartbeatMs,
  type Lane,
  type LaneKey,
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

/** A loop that works off Lanes claimed by others as well. */
export interface SharedLaneLoop extends LaneLoop {
  /**
   * Works off Lanes that `claim` claims by a transaction of its own, with something else that it commits. It is told for how many there
   * is room here, and must claim no more; none once the loop is being stopped. Returns its value, throws what it throws.
   */
  beginAlong<T>(atMost: number, claim: (room: number) => Promise<{ begun: BegunLane[]; value: T }>): Promise<T>;
}

/** A Lane that was claimed along with what is first to be done in it, and what does it. */
export interface BegunLane {
  lane: Lane;
  handle(signal: AbortSignal): Promise<void>;
}

/** What works off one claimed Lane and gives it back. It must end soon after its signal is aborted. */
export type LaneHandler = (lane: Lane, signal: AbortSignal) => Promise<void>;

/** Claims a Lane and takes what is first to be done in it by one round trip. Null: it cannot be had now, or nothing waits in it. */
export type LaneBeginner = (key: LaneKey) => Promise<BegunLane | null>;

/** Without any announcement somebody looks at least this often. */
const pollMs = 1000;
/** However much is announced, the next look comes so long after one that found nothing: what is new waits together. */
const restMs = 5;
/** How often it is asked when the next Lane becomes ready by the passing of time alone. */
const askMs = 200;
/** An owner of whom a Lane could not be had is busy: so long nothing is begun for it by itself, everything is looked through instead. */
const busyMs = 100;
/** So many owners are remembered as busy. */
const mostBusy = 1000;
/** How long a handler may take to end once it has been told to. */
const abortGraceMs = 3000;

/**
 * Claims Lanes as they become ready, up to `slots` at once, keeps their leases alive while `handle` works, and aborts the handler
 * when a lease is lost. Told by announcements, with polling as the net. A Lane that is announced by name is begun at once; else the
 * loop looks for what is ready.
 */
export function startLaneLoop(
  core: Core,
  options: { kind: LaneKind; slots: number; handle: LaneHandler; begin: LaneBeginner },
): SharedLaneLoop {
  const running = new Map<Promise<void>, AbortController>();
  const begun = new Set<string>();
  const busy = new Map<string, number>();
  const beginning = new Set<Promise<void>>();
  /** Places that are kept for Lanes being claimed by others. */
  let kept = 0;
  const alongside = new Set<Promise<void>>();
  const queues = new Map<string, LaneKey[]>();
  /** Something may be ready that was passed over because there was no room for it. */
  let passedOver = false;
  let stopped = false;
  let ticking = false;
  let again = false;
  let looking: Promise<void> = Promise.resolve();
  let resting = false;
  let timer: NodeJS.Timeout | undefined;
  let databaseAway = false;
  let nextReadyAt = 0;
  let askedAt = Number.NEGATIVE_INFINITY;

  const taken = () => running.size + beginning.size + kept;

  /** Begins a Lane that was announced by name, if it and its owner seem to be free; those of one owner one after the other. */
  function beginLane(key: LaneKey): void {
    const name = nameOf(key);
    if (stopped || begun.has(name)) {
      // Whoever has it gives it back as claimable.
      passedOver = true;
      return;
    }
    const owner = `${key.organisation} ${key.owner}`;
    if (taken() >= options.slots || (busy.get(owner) ?? 0) > performance.now()) {
      look();
      return;
    }
    const queue = queues.get(owner) ?? [];
    if (!queues.has(owner)) {
      queues.set(owner, queue);
      const all = beginAll(owner, queue).finally(() => beginning.delete(all));
      beginning.add(all);
    }
    begun.add(name);
    queue.push(key);
  }

  async function beginAll(owner: string, queue: LaneKey[]): Promise<void> {
    await Promise.resolve();
    for (let key = queue.shift(); key && !stopped; key = queue.shift()) {
      let started: Awaited<ReturnType<LaneBeginner>> = null;
      if (taken() > options.slots) {
        for (const left of [key, ...queue.splice(0)]) begun.delete(nameOf(left));
        passedOver = true;
        break;
      }
      try {
        started = await options.begin(key);
      } catch (error) {
        core.log.debug({ ...key, err: error }, 'a lane could not be begun');
      }
      if (started) {
        hold(started.lane, started.handle);
        continue;
      }
      for (const left of [key, ...queue.splice(0)]) begun.delete(nameOf(left));
      if (busy.size >= mostBusy) busy.clear();
      busy.set(owner, performance.now() + busyMs);
      look();
    }
    queues.delete(owner);
  }

  async function beginAlong<T>(
    atMost: number,
    claim: (room: number) => Promise<{ begun: BegunLane[]; value: T }>,
  ): Promise<T> {
    const room = stopped ? 0 : Math.max(Math.min(atMost, options.slots - taken()), 0);
    kept += room;
    const claiming = claim(room);
    // While it is under way the loop does not end.
    const settled = claiming.then(
      () => undefined,
      () => undefined,
    );
    alongside.add(settled);
    let used = 0;
    try {
      const { begun, value } = await claiming;
      used = begun.length;
      for (const { lane, handle } of begun) hold(lane, handle);
      return value;
    } finally {
      kept -= room;
      alongside.delete(settled);
      // What was passed over for the sake of a place that was not needed.
      if (used < room && passedOver && !stopped) look();
    }
  }

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
      const free = options.slots - taken();
      passedOver = taken() > 0;
      if (free > 0) {
        const lanes = await claimLanes(core.database, options.kind, core.processName, free);
        found = lanes.length;
        for (const lane of lanes) hold(lane, (signal) => options.handle(lane, signal), true);
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

  /** `thenLook`: it was found by looking, so there may be more where it came from. */
  function hold(lane: Lane, handle: (signal: AbortSignal) => Promise<void>, thenLook = false): void {
    const name = nameOf(lane);
    begun.add(name);
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
    const work = handle(controller.signal)
      .catch((error: unknown) => {
        core.log.error({ ...lane, err: error }, 'a lane was left: its lease runs out and it is taken up again');
      })
      .finally(() => {
        clearInterval(heart);
        running.delete(work);
        begun.delete(name);
        if (!stopped && (passedOver || thenLook || ticking)) look();
      });
    running.set(work, controller);
  }

  const unlisten = core.waking.listen((claimable, lanes) => {
    if (claimable !== options.kind && claimable !== 'either') return;
    if (!lanes) look();
    else for (const lane of lanes) if (lane.kind === options.kind) beginLane(lane);
  });
  look();

  return {
    running: () => running.size,
    beginAlong,
    async stop(graceMs) {
      stopped = true;
      unlisten();
      clearTimeout(timer);
      // What is being claimed at this moment is ours to finish, and the database is closed after us.
      await looking;
      await Promise.all([...beginning, ...alongside]);
      await settledWithin([...running.keys()], graceMs);
      for (const controller of running.values()) controller.abort(new ProcessEnds());
      await settledWithin([...running.keys()], abortGraceMs);
    },
  };
}

function nameOf({ organisation, owner, thread }: LaneKey): string {
  return `${organisation} ${owner} ${thread}`;
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

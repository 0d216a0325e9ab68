import type { ControlChange } from '../desktop/control-lease.ts';
import type { Desktop, DesktopListener } from '../desktop/desktop.ts';
import { DriverError } from '../drivers/driver.ts';
import type { HostLog } from './host-log.ts';
import { type DesiredDesktop, type desktopStates, type FromHost, sentenceAtMost } from './messages.ts';

/** What a host says of one of its Desktops. */
export type DesktopReport = Extract<FromHost, { type: 'desktop' }>;
type State = (typeof desktopStates)[number];

/** What a slot is made with. */
export interface DesktopSlotOptions {
  id: string;
  /** Waits for its turn: a host starts a few at a time. @throws DriverError */
  start(wanted: DesiredDesktop, listener: DesktopListener): Promise<Desktop>;
  report(report: DesktopReport): void;
  control(generation: number, change: ControlChange): void;
  log: HostLog;
}

/** The place of one Desktop on this host: it brings what runs to what is wanted. */
export interface DesktopSlot {
  /** What it should be from now on; null: it should not be. Resolves when that has come about, or failed. */
  want(wanted: DesiredDesktop | null): Promise<void>;
  /** Stops it although it is wanted: it does not come back in this generation. */
  end(reason: string): Promise<void>;
  readonly isWanted: boolean;
  /** Waits for a start that is under way. Undefined: it does not run. */
  settled(): Promise<Desktop | undefined>;
  /** What is to be said of it now; undefined when there is nothing. */
  readonly latest: DesktopReport | undefined;
}

/**
 * Converges one Desktop: a start, a stop and a change never overlap, and only the latest wish counts. What has failed, or has ended by
 * itself, is not started again in the same generation: that is the core's to decide.
 */
export function createDesktopSlot({ id, start, report, control, log }: DesktopSlotOptions): DesktopSlot {
  let wanted: DesiredDesktop | null = null;
  let desktop: Desktop | undefined;
  let latest: DesktopReport | undefined;
  /** The generation that is over. */
  let overGeneration: number | undefined;
  let converging: Promise<void> | undefined;

  function say(state: State, generation: number, detail: string): void {
    latest = {
      type: 'desktop',
      id,
      generation,
      state,
      detail: detail.slice(0, sentenceAtMost),
      driver: desktop?.driver ?? null,
      width: desktop?.width ?? wanted?.width ?? latest?.width ?? 0,
      height: desktop?.height ?? wanted?.height ?? latest?.height ?? 0,
      viewers: desktop?.viewers ?? 0,
    };
    report(latest);
  }

  async function stop(running: Desktop, why: string): Promise<void> {
    desktop = undefined;
    try {
      await running.stop();
    } catch (err) {
      log.error({ err, desktop: id }, 'a Desktop could not be stopped cleanly');
    }
    say('stopped', running.generation, why);
  }

  async function begin(wish: DesiredDesktop): Promise<void> {
    say('starting', wish.generation, '');
    let started: Desktop | undefined;
    try {
      started = await start(wish, {
        changed: () => started && desktop === started && say('running', wish.generation, ''),
        control: (change) => control(wish.generation, change),
      });
    } catch (err) {
      overGeneration = wish.generation;
      // A DriverError is a sentence for people; anything else is a defect, and shows in the log where it happened.
      log.error({ err, desktop: id }, 'a Desktop does not start');
      say(
        'failed',
        wish.generation,
        err instanceof DriverError ? err.message : 'the host could not start it: see its log',
      );
      return;
    }
    const running = started;
    desktop = running;
    say('running', wish.generation, '');
    void running.ended.then((why) => {
      if (desktop !== running) return;
      overGeneration = running.generation;
      log.warn({ desktop: id, why }, 'a Desktop has ended by itself');
      void converge(async () => {
        if (desktop === running) await stop(running, why);
      });
    });
  }

  async function step(): Promise<boolean> {
    if (desktop && desktop.generation !== wanted?.generation) {
      await stop(desktop, wanted ? 'it starts anew' : 'it is no longer wanted');
      return true;
    }
    if (!wanted) return false;
    if (!desktop) {
      if (overGeneration === wanted.generation) return false;
      await begin(wanted);
      return true;
    }
    try {
      await desktop.adjust(wanted);
    } catch (err) {
      log.error({ err, desktop: id }, 'a Desktop could not be changed as wanted');
    }
    return false;
  }

  /** One after the other: `first`, then steps until nothing is left to do for the latest wish. */
  function converge(first?: () => Promise<void>): Promise<void> {
    const turn = (converging ?? Promise.resolve()).then(async () => {
      await first?.();
      for (;;) {
        const wish = wanted;
        const changed = await step();
        if (!changed && wish === wanted) return;
      }
    });
    converging = turn;
    return turn;
  }

  return {
    want(wish) {
      wanted = wish;
      return converge();
    },
    end(why) {
      return converge(async () => {
        if (!desktop) return;
        overGeneration = desktop.generation;
        await stop(desktop, why);
      });
    },
    async settled() {
      await converging;
      return desktop;
    },
    get isWanted() {
      return wanted !== null;
    },
    get latest() {
      return latest;
    },
  };
}

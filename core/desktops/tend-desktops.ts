import type { Core } from '../core.ts';
import { removeOldDials } from './dial-rows.ts';
import { removeOldFiles } from './files.ts';
import { findLostDesktops, type LostDesktop, moveDesktop } from './move-desktop.ts';
import { hostSilentSeconds } from './place-desktop.ts';
import { removeRetiredKeys } from './signing-keys.ts';
import { stopIdleDesktops } from './stop-idle.ts';
import { removeOldLinks } from './viewer-links.ts';

/** Somebody has to look whether a Host is still there. */
export interface Tending {
  stop(): Promise<void>;
}

/** Other times than the real ones, for tests. In milliseconds. */
export interface TendingTimes {
  graceMs?: number;
  everyMs?: number;
}

/** Lost Hosts are looked for so often: with 30 s of silence before, a Thread hears of it within 40 s. */
const lostEveryMs = 5000;
/** Idle Desktops and what is old, so often. */
const idleEveryMs = 30_000;

/**
 * Looks after Desktops until it is stopped: those of lost Hosts move, idle ones stop, old links, files and keys go. Every core process does it;
 * each change is conditional, so that it happens once.
 *
 * @param times `graceMs`: so long a process must have seen the database without a break before it calls a Host lost: a core that was away itself
 *   has not heard the Hosts, which need some seconds to come back to it
 */
export function tendDesktops(
  core: Pick<Core, 'database' | 'waking' | 'log' | 'metrics' | 'desktops'>,
  { graceMs = hostSilentSeconds * 1000, everyMs = lostEveryMs }: TendingTimes = {},
): Tending {
  let seeingSince = performance.now();
  let lastSeen = seeingSince;
  let lastIdle = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let tending: Promise<void> = Promise.resolve();

  async function tend(): Promise<void> {
    const now = performance.now();
    // Paused or cut off for longer than a few looks: what it would see now is old.
    if (now - lastSeen > 3 * everyMs) seeingSince = now;
    const lost = await findLostDesktops(core);
    lastSeen = performance.now();
    if (now - seeingSince >= graceMs) for (const desktop of lost) await move(desktop);
    if (now - lastIdle < idleEveryMs) return;
    lastIdle = now;
    await stopIdleDesktops(core);
    await Promise.all([removeOldDials(core), removeOldLinks(core), removeOldFiles(core), removeRetiredKeys(core)]);
  }

  /** One that cannot be moved is tried again with the next look, and holds up no other. */
  async function move(desktop: LostDesktop): Promise<void> {
    try {
      await moveDesktop(core, desktop, 'the host that it ran on was lost');
    } catch (error) {
      core.log.error({ err: error, desktop: desktop.id }, 'a lost desktop could not be moved; trying again');
    }
  }

  function tendAgain(): void {
    tending = tend().catch((error: unknown) => {
      seeingSince = performance.now();
      core.log.warn({ err: error }, 'desktops could not be looked after; trying again');
    });
    void tending.then(() => {
      if (!stopped) timer = setTimeout(tendAgain, everyMs);
    });
  }

  tendAgain();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await tending;
    },
  };
}

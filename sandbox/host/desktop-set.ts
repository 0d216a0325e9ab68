import type { ControlChange } from '../desktop/control-lease.ts';
import type { Desktop, DesktopListener } from '../desktop/desktop.ts';
import { createDesktopSlot, type DesktopReport, type DesktopSlot } from './desktop-slot.ts';
import type { HostLog } from './host-log.ts';
import { limitConcurrency } from './limit-concurrency.ts';
import type { DesiredDesktop } from './messages.ts';

/** What the set is made with. */
export interface DesktopSetOptions {
  /** @throws DriverError */
  start(wanted: DesiredDesktop, listener: DesktopListener): Promise<Desktop>;
  report(report: DesktopReport): void;
  control(desktop: string, generation: number, change: ControlChange): void;
  log: HostLog;
  /** How many start at the same time: a browser's start takes a core for a second. */
  startsAtOnce?: number;
}

/** All Desktops of this host. */
export interface DesktopSet {
  /** What should run from now on, all of it: the rest is stopped. Resolves when that has come about. */
  reconcile(wanted: readonly DesiredDesktop[]): Promise<void>;
  /** A Desktop that runs, or will in a moment. Undefined: it does not. */
  find(id: string): Promise<Desktop | undefined>;
  /** Stops all, although they are wanted: none comes back in the same generation. `reason` is told to people. */
  endAll(reason: string): Promise<void>;
  /** What is to be said of each now. */
  reports(): DesktopReport[];
}

/** Brings what runs on this host to what the core wants: rows in its database, which it sends whole. */
export function createDesktopSet(options: DesktopSetOptions): DesktopSet {
  const slots = new Map<string, DesktopSlot>();
  const inTurn = limitConcurrency(options.startsAtOnce ?? 2);

  function slotOf(id: string): DesktopSlot {
    const known = slots.get(id);
    if (known) return known;
    const made = createDesktopSlot({
      id,
      start: (wanted, listener) => inTurn(() => options.start(wanted, listener)),
      report: options.report,
      control: (generation, change) => options.control(id, generation, change),
      log: options.log,
    });
    slots.set(id, made);
    return made;
  }

  async function drop(id: string, slot: DesktopSlot): Promise<void> {
    await slot.want(null);
    // Wanted again meanwhile, it is another's wish on the same slot.
    if (slots.get(id) === slot && !slot.isWanted) slots.delete(id);
  }

  return {
    async reconcile(wanted) {
      const ids = new Set(wanted.map(({ id }) => id));
      await Promise.all([
        ...[...slots].filter(([id]) => !ids.has(id)).map(([id, slot]) => drop(id, slot)),
        ...wanted.map((wish) => slotOf(wish.id).want(wish)),
      ]);
    },
    async find(id) {
      return await slots.get(id)?.settled();
    },
    async endAll(reason) {
      await Promise.all([...slots.values()].map((slot) => slot.end(reason)));
    },
    reports: () => [...slots.values()].flatMap(({ latest }) => latest ?? []),
  };
}

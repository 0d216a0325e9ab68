import { setTimeout as sleep } from 'node:timers/promises';
import type { CaughtUp } from '../x11/caught-up.ts';
import type { XConnection } from '../x11/connect.ts';
import type { KeyboardMap } from './keyboard-map.ts';

/**
 * Programs learn of a new meaning by an event, and fetch the map when they get to it. Of most it can be known how far they are
 * (caught-up.ts); for the others, such as xterm, so long is waited after a keycode was lent, and before one that was used is lent anew.
 */
const unknownWaits = { lentMs: 30, reusedMs: 200 };

/** Keycodes that nothing uses, lent to keysyms that the keyboard lacks: some 75 of them with Xvfb's layouts. */
export interface LentKeycodes {
  /** The keycode that stands for this keysym now. */
  find(keysym: number, map: KeyboardMap): number | undefined;
  /** Those that can be lent, those that are lent among them. */
  usable(map: KeyboardMap): ReadonlySet<number>;
  /**
   * Gives each of these keysyms a keycode, as far as there are any, and waits until programs know. The keycodes that were used longest
   * ago change first.
   *
   * @param busy keycodes that stay what they are
   */
  lend(keysyms: readonly number[], map: KeyboardMap, busy: ReadonlySet<number>): Promise<void>;
  /** A keycode was pressed: if it is a lent one, what it stands for stays so until its program has seen that. */
  used(keycode: number): void;
  /** Makes them stand for what they did, except those that a new layout has taken. */
  giveBack(map: KeyboardMap): Promise<void>;
}

interface Lent {
  keysym: number;
  usedAt: number;
  /** What the keycode stood for. */
  before: readonly number[];
}

/** @param caughtUp waits for the program that gets the keys */
export function createLentKeycodes(x: XConnection, caughtUp: CaughtUp): LentKeycodes {
  /** By keycode; the one used longest ago first. */
  const lent = new Map<number, Lent>();

  function isOurs(keycode: number, map: KeyboardMap): boolean {
    const [plain, shifted] = map.at(keycode);
    const keysym = lent.get(keycode)?.keysym;
    return plain === keysym && shifted === keysym;
  }

  function usable(map: KeyboardMap): Set<number> {
    const unused = map.free.filter((keycode) => !lent.has(keycode));
    const again = [...lent.keys()].filter((keycode) => isOurs(keycode, map) || map.free.includes(keycode));
    return new Set([...unused, ...again]);
  }

  function remember(keycode: number, entry: Lent): void {
    lent.delete(keycode);
    lent.set(keycode, entry);
  }

  /** Whoever was typed to has seen what these stood for. */
  async function untilSeen(keycodes: readonly number[]): Promise<void> {
    const lastUse = Math.max(0, ...keycodes.map((keycode) => lent.get(keycode)?.usedAt ?? 0));
    if (lastUse === 0 || (await caughtUp())) return;
    const wait = lastUse + unknownWaits.reusedMs - performance.now();
    if (wait > 0) await sleep(wait);
  }

  return {
    find: (keysym, map) =>
      [...lent.keys()].find((keycode) => lent.get(keycode)?.keysym === keysym && isOurs(keycode, map)),
    usable,
    lend: async (keysyms, map, busy) => {
      const keycodes = [...usable(map)].filter((keycode) => !busy.has(keycode)).slice(0, keysyms.length);
      await untilSeen(keycodes);
      const changes = keycodes.map((keycode, index) => ({ keycode, keysym: keysyms[index] ?? 0 }));
      for (const { keycode, keysym } of changes) {
        const before = lent.get(keycode)?.before ?? map.at(keycode);
        remember(keycode, { keysym, usedAt: 0, before });
      }
      for (const { first, row } of neighbours(changes)) x.client.ChangeKeyboardMapping(first, 2, row);
      await x.settled();
      if (!(await caughtUp())) await sleep(unknownWaits.lentMs);
    },
    used: (keycode) => {
      const entry = lent.get(keycode);
      if (entry) remember(keycode, { ...entry, usedAt: performance.now() });
    },
    giveBack: async (map) => {
      for (const [keycode, { before }] of lent)
        if (isOurs(keycode, map)) x.client.ChangeKeyboardMapping(keycode, before.length, before);
      lent.clear();
      await x.settled();
    },
  };
}

/** Keycodes side by side change in one request: every request makes every program fetch the map again. */
function neighbours(changes: readonly { keycode: number; keysym: number }[]): { first: number; row: number[] }[] {
  const spans: { first: number; row: number[] }[] = [];
  for (const { keycode, keysym } of changes.toSorted((a, b) => a.keycode - b.keycode)) {
    const span = spans.at(-1);
    if (span && span.first + span.row.length / 2 === keycode) span.row.push(keysym, keysym);
    else spans.push({ first: keycode, row: [keysym, keysym] });
  }
  return spans;
}

import type { XConnection } from '../x11/connect.ts';
import { characterOfKeysym, keysym } from './keysyms.ts';

/** Where a keysym is on the keyboard. */
export interface KeyPlace {
  keycode: number;
  /** Whether Shift must be down, or must not; undefined: it does not matter, the key is the same with both. */
  shift?: boolean;
}

/** What the X server's keycodes stand for, at one moment. */
export interface KeyboardMap {
  /**
   * @param group the layout in use, of those that are loaded (0 is the first)
   * @returns undefined when no key types it without AltGr
   */
  find(keysym: number, group: number): KeyPlace | undefined;
  /** Keycodes that can stand for something else: those that stand for nothing first, then keys that nobody presses here. */
  readonly free: readonly number[];
  /** What a keycode stands for, without and with Shift, in the first layout. */
  at(keycode: number): readonly [number, number];
  /** Keycodes of both Shift keys. */
  readonly shifts: ReadonlySet<number>;
}

/** Toolkits number keys from 8 below X, so that the first keycode is no key to them. */
const firstUsableKeycode = 9;
const space = 0x20;
/** Keysyms of keys for functions of a machine (XF86keysym.h): sound, sleep, applications. */
const vendorKeysyms = { from: 0x10080000, to: 0x1008ffff };
/**
 * Keys of such functions that Chromium takes for no key of its own when their meaning changes: of others it knows the keycode, too, and
 * goes back a page. Tried with Chromium 156: what they type arrives, and `keyCode` is 0.
 */
const quietKeycodes = new Set(
  [
    [142, 147, 151, 152, 153, 155, 156, 157, 158, 159, 160, 161, 162, 165, 169, 170, 175, 176, 177],
    [182, 185, 186, 189, 198, 199, 200, 201, 209, 210, 211, 213, 214, 216, 220, 221, 224, 226, 227, 228, 229],
    [234, 235, 236, 239, 240, 241, 242, 243, 244, 245, 247, 249, 250, 251, 252, 253, 254, 255],
  ].flat(),
);

/** Reads the whole map: one round trip, 8 KB, 0.3 ms. */
export async function readKeyboardMap(x: XConnection): Promise<KeyboardMap> {
  const { min_keycode: first, max_keycode: last } = x.client.display;
  const rows = await x.ask<number[][]>((reply) => x.client.GetKeyboardMapping(first, last - first + 1, reply));
  const keys = rows.map((row, index) => ({ keycode: first + index, row }));
  const groups = [0, 1].map((group) => placesOf(keys, group));
  const unused = keys.filter(({ keycode, row }) => keycode >= firstUsableKeycode && isFree(row));
  const quiet = keys.filter(({ keycode, row }) => quietKeycodes.has(keycode) && isVendors(row));
  const shifts = keys.filter(({ row }) => row[0] === keysym.shiftLeft || row[0] === keysym.shiftRight);

  return {
    // The core protocol shows two layouts; of a third only what types no character can be found.
    find: (code, group) => {
      const character = characterOfKeysym(code);
      if (character === undefined) return groups[0]?.get(code);
      return groups[group]?.get(character);
    },
    free: [...unused, ...quiet].map(({ keycode }) => keycode),
    at: (keycode) => [rows[keycode - first]?.[0] ?? 0, rows[keycode - first]?.[1] ?? 0],
    shifts: new Set(shifts.map(({ keycode }) => keycode)),
  };
}

/** By keysym, or by character for one that types a character; the first key that has it counts (digits, not the keypad's). */
function placesOf(keys: readonly { keycode: number; row: readonly number[] }[], group: number) {
  const places = new Map<number | string, KeyPlace>();
  for (const { keycode, row } of keys) {
    const plain = row[group * 2] ?? 0;
    const shifted = row[group * 2 + 1] ?? 0;
    const isSame = shifted === 0 || shifted === plain;
    for (const [code, shift] of [
      [plain, false],
      [shifted, true],
    ] as const) {
      if (code === 0) continue;
      const character = characterOfKeysym(code);
      const name = character ?? code;
      if (places.has(name)) continue;
      places.set(name, character === undefined || isSame ? { keycode } : { keycode, shift });
    }
  }
  return places;
}

/** No layout has the same character with and without Shift, but for the space bar; a keycode that was lent has. */
function isFree(row: readonly number[]): boolean {
  const [plain = 0, shifted = 0] = row;
  if (row.every((code) => code === 0)) return true;
  return plain === shifted && plain !== space && characterOfKeysym(plain) !== undefined;
}

function isVendors(row: readonly number[]): boolean {
  const meant = row.filter((code) => code !== 0);
  return meant.length > 0 && meant.every((code) => code >= vendorKeysyms.from && code <= vendorKeysyms.to);
}

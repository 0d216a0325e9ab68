import { InputRefusedError } from '../stream/streamer.ts';
import { createCaughtUp } from '../x11/caught-up.ts';
import type { XConnection } from '../x11/connect.ts';
import { type KeyboardMap, type KeyPlace, readKeyboardMap } from './keyboard-map.ts';
import { characterOfKeysym, isLevelSwitch, isModifier, isShift, keysym, keysymOfCharacter } from './keysyms.ts';
import { createLentKeycodes } from './lent-keycodes.ts';

/** Keys of an X server, by XTEST. One call at a time: the caller waits for each. */
export interface Keyboard {
  /**
   * A key goes down; once more without having come up is a repetition. A character is typed as it is, whatever the layout, Shift and
   * Caps Lock would make of it; keys that only switch levels (AltGr, Caps Lock) are left out.
   *
   * @throws InputRefusedError for a keysym that is none
   */
  down(code: number): Promise<void>;
  /** It comes up; nothing happens when it is not down. */
  up(code: number): Promise<void>;
  /** Holds keys, presses the last, lets go: ctrl+l. Presses level switches, too: an agent that says Caps_Lock means it. */
  chord(held: readonly number[], pressed: number): Promise<void>;
  /**
   * Types any text. Keys that are held are up meanwhile.
   *
   * @throws InputRefusedError for a control character, before anything is typed
   */
  type(text: string, signal?: AbortSignal): Promise<void>;
  /** Whatever is down comes up. */
  releaseAll(): void;
  /** Leaves the keyboard as it was. */
  close(): Promise<void>;
}

/** So many keys are pressed before the server is waited for: nobody else waits longer than 2 ms, and typing can be broken off. */
const runLength = 100;
/** A layout that changes while a run is made ready makes it start anew; so often at most. */
const triesOfRun = 5;

const shiftMask = 1;
const lockMask = 2;
/** XKB says the layout in use in bits 13 and 14 of the state (XKB protocol, "Compatibility"). */
const groupShift = 13;

interface KeyState {
  shift: boolean;
  lock: boolean;
  group: number;
}

export async function createKeyboard(x: XConnection): Promise<Keyboard> {
  const lent = createLentKeycodes(x, await createCaughtUp(x));
  const held = new Map<number, number>();
  let version = 0;
  let read: { version: number; map: KeyboardMap } | undefined;

  const stopWatching = x.onEvent((event) => {
    if (event.name === 'MappingNotify') version++;
  });

  async function currentMap(): Promise<KeyboardMap> {
    while (read?.version !== version) {
      const before = version;
      read = { version: before, map: await readKeyboardMap(x) };
    }
    return read.map;
  }

  async function state(): Promise<KeyState> {
    const { keyMask } = await x.ask<{ keyMask: number }>((reply) => x.client.QueryPointer(x.root, reply));
    return {
      shift: (keyMask & shiftMask) !== 0,
      lock: (keyMask & lockMask) !== 0,
      group: (keyMask >> groupShift) & 3,
    };
  }

  function press(keycode: number): void {
    x.xtest.FakeInput(x.xtest.KeyPress, keycode, 0, 0, 0, 0);
    lent.used(keycode);
  }

  function release(keycode: number): void {
    x.xtest.FakeInput(x.xtest.KeyRelease, keycode, 0, 0, 0, 0);
  }

  function tap(keycode: number): void {
    press(keycode);
    release(keycode);
  }

  function find(code: number, map: KeyboardMap, group: number): KeyPlace | undefined {
    const place = map.find(code, group);
    if (place) return place;
    const keycode = lent.find(code, map);
    return keycode === undefined ? undefined : { keycode };
  }

  /** Lends a keycode where the keyboard has none. */
  async function place(code: number, group: number): Promise<KeyPlace> {
    for (let tries = 0; tries < triesOfRun; tries++) {
      const map = await currentMap();
      const found = find(code, map, group);
      if (found) return found;
      await lent.lend([code], map, new Set(held.values()));
    }
    throw noKeycode();
  }

  /** Presses a key with Shift as its character needs it, and puts Shift back before the key comes up. */
  function pressAsMeant({ keycode, shift }: KeyPlace, now: KeyState, map: KeyboardMap, keepsShift = false): void {
    if (shift === undefined || shift === now.shift || (now.shift && keepsShift)) {
      press(keycode);
      return;
    }
    const [aShift] = map.shifts;
    if (shift) {
      if (aShift !== undefined) press(aShift);
      press(keycode);
      if (aShift !== undefined) release(aShift);
      return;
    }
    const down = [...held.values()].filter((other) => map.shifts.has(other));
    for (const other of down) release(other);
    press(keycode);
    for (const other of down) press(other);
  }

  async function withoutCapsLock(now: KeyState): Promise<void> {
    if (!now.lock) return;
    const key = (await currentMap()).find(keysym.capsLock, 0);
    if (key) tap(key.keycode);
  }

  /** With ctrl, alt or super a letter is that letter's key: a Mac says `t` for command+shift+T. */
  function isShortcut(code: number): boolean {
    const holds = [...held.keys()].some((other) => isModifier(other) && !isShift(other));
    return holds && /\p{L}/u.test(characterOfKeysym(code) ?? '');
  }

  async function down(code: number, keepsShift = isShortcut(code)): Promise<void> {
    if (code === 0) throw new InputRefusedError('0 is no keysym');
    const already = held.get(code);
    if (already !== undefined) {
      if (isModifier(code)) return;
      release(already);
      press(already);
      return;
    }
    if (characterOfKeysym(code) === undefined) {
      const { keycode } = await place(code, 0);
      held.set(code, keycode);
      press(keycode);
      return;
    }
    const now = await state();
    await withoutCapsLock(now);
    const found = await place(code, now.group);
    held.set(code, found.keycode);
    pressAsMeant(found, now, await currentMap(), keepsShift);
  }

  /** A key whose Shift came up first is another character by now: the browser says `A` went down and `a` came up. */
  async function heldAs(code: number): Promise<number | undefined> {
    if (held.has(code)) return code;
    const keycode = (await currentMap()).find(code, 0)?.keycode;
    return [...held].find(([, other]) => other === keycode)?.[0];
  }

  async function up(code: number): Promise<void> {
    const as = await heldAs(code);
    const keycode = as === undefined ? undefined : held.get(as);
    if (as === undefined || keycode === undefined) return;
    held.delete(as);
    release(keycode);
  }

  function releaseAll(): void {
    for (const keycode of [...held.values()].reverse()) release(keycode);
    held.clear();
  }

  /** Types from `from` on, as far as the keycodes reach that can be had at once. Returns where it has got to. */
  async function typeRun(codes: readonly number[], from: number): Promise<number> {
    for (let tries = 0; tries < triesOfRun; tries++) {
      const { group } = await state();
      const map = await currentMap();
      const run = runFrom(codes.slice(from, from + runLength), (code) => find(code, map, group), lent.usable(map));
      if (run.missing.length > 0) await lent.lend(run.missing, map, run.keycodes);

      const after = await currentMap();
      let at = from;
      for (; at < from + run.length; at++) {
        const code = codes[at];
        const found = code === undefined ? undefined : find(code, after, group);
        if (!found) break;
        pressAsMeant(found, { shift: false, lock: false, group }, after);
        release(found.keycode);
      }
      await x.settled();
      if (at > from) return at;
    }
    throw noKeycode();
  }

  async function type(text: string, signal?: AbortSignal): Promise<void> {
    const codes = [...text.replaceAll('\r\n', '\n')].map(keysymOfCharacter);
    const lifted = [...held.values()];
    for (const keycode of lifted) release(keycode);
    await withoutCapsLock(await state());
    try {
      for (let at = 0; at < codes.length; at = await typeRun(codes, at)) signal?.throwIfAborted();
    } finally {
      for (const keycode of lifted) press(keycode);
    }
  }

  async function chord(before: readonly number[], pressed: number): Promise<void> {
    const keys = [...before, pressed];
    try {
      for (const code of keys) {
        if (isLevelSwitch(code)) {
          const { keycode } = await place(code, 0);
          held.set(code, keycode);
          press(keycode);
        } else await down(code, before.some(isShift));
      }
    } finally {
      for (const code of keys.reverse()) await up(code);
    }
    await x.settled();
  }

  // A viewer repeats its keys itself. The server would repeat one for as long as the news of its release is on the way.
  x.client.ChangeKeyboardControl({ autoRepeatMode: 0 });
  await releaseStuckKeys(x);

  return {
    down: async (code) => {
      if (!isLevelSwitch(code)) await down(code);
    },
    up,
    chord,
    type,
    releaseAll,
    close: async () => {
      releaseAll();
      await lent.giveBack(await currentMap());
      stopWatching();
      x.client.ChangeKeyboardControl({ autoRepeatMode: 1 });
      await x.settled();
    },
  };
}

/**
 * How many keysyms from the first on can be typed with so many keycodes to lend, which of them lack one, and whose keycodes are needed
 * as they are: those that are lent already count, too.
 */
function runFrom(codes: readonly number[], find: (code: number) => KeyPlace | undefined, usable: ReadonlySet<number>) {
  const missing = new Set<number>();
  const keycodes = new Set<number>();
  let room = usable.size;
  let length = 0;
  for (const code of codes) {
    const place = find(code);
    const isNew = place ? usable.has(place.keycode) && !keycodes.has(place.keycode) : !missing.has(code);
    if (isNew && room-- === 0) break;
    if (place) keycodes.add(place.keycode);
    else missing.add(code);
    length++;
  }
  return { length, missing: [...missing], keycodes };
}

/** What a process like this one had pressed when it died is still down. */
async function releaseStuckKeys(x: XConnection): Promise<void> {
  const down = await x.ask<Buffer>((reply) => x.client.QueryKeymap(reply));
  for (const [index, bits] of down.entries())
    for (let bit = 0; bit < 8; bit++)
      if (bits & (1 << bit)) x.xtest.FakeInput(x.xtest.KeyRelease, index * 8 + bit, 0, 0, 0, 0);
  await x.settled();
}

function noKeycode(): InputRefusedError {
  return new InputRefusedError(
    'the keyboard has no free keycode for this character: choose a layout that has it (setxkbmap us)',
  );
}

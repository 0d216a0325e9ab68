/** X11 keysyms (X11/keysymdef.h) of the keys that type nothing, by KeyboardEvent.key. */
const named: Readonly<Record<string, number>> = {
  Backspace: 0xff08,
  Tab: 0xff09,
  Clear: 0xff0b,
  Enter: 0xff0d,
  Pause: 0xff13,
  ScrollLock: 0xff14,
  Escape: 0xff1b,
  Home: 0xff50,
  ArrowLeft: 0xff51,
  ArrowUp: 0xff52,
  ArrowRight: 0xff53,
  ArrowDown: 0xff54,
  PageUp: 0xff55,
  PageDown: 0xff56,
  End: 0xff57,
  PrintScreen: 0xff61,
  Insert: 0xff63,
  ContextMenu: 0xff67,
  Help: 0xff6a,
  NumLock: 0xff7f,
  CapsLock: 0xffe5,
  Delete: 0xffff,
};

/** Left and right are different keys. */
const sided: Readonly<Record<string, readonly [number, number]>> = {
  Shift: [0xffe1, 0xffe2],
  Control: [0xffe3, 0xffe4],
  Alt: [0xffe9, 0xffea],
  Meta: [0xffeb, 0xffec],
};

const firstFunctionKey = 0xffbe;
const onTheRight = 2;

/** What a key is, or null for one that X doesn't know (media keys, dead keys, a phone's "Unidentified"). */
export type Key = { kind: 'modifier' | 'special' | 'character'; keysym: number };

/**
 * The keysym of a key by what it means, so that a person's own keyboard layout counts and not the Desktop's.
 *
 * @param key KeyboardEvent.key
 * @param location KeyboardEvent.location
 */
export function keyOf(key: string, location = 0): Key | null {
  const side = sided[key];
  if (side) return { kind: 'modifier', keysym: location === onTheRight ? side[1] : side[0] };
  const special = named[key] ?? functionKey(key);
  if (special !== undefined) return { kind: 'special', keysym: special };
  const [character, more] = key;
  if (character === undefined || more !== undefined) return null;
  return { kind: 'character', keysym: keysymOf(character) };
}

/** Latin-1 has its own numbers; for the rest, Unicode with a flag (X11 protocol, appendix A). */
export function keysymOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  return (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xff) ? code : 0x01000000 | code;
}

function functionKey(key: string): number | undefined {
  const number = Number(/^F([1-9]|1\d|2[0-4])$/.exec(key)?.[1]);
  return Number.isNaN(number) ? undefined : firstFunctionKey + number - 1;
}

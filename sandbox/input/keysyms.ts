import x11 from 'x11';
import { InputRefusedError } from '../stream/streamer.ts';
import { nearest } from './nearest.ts';

/** Keysyms that are needed by name here (X11 keysymdef.h). */
export const keysym = {
  backSpace: 0xff08,
  tab: 0xff09,
  return: 0xff0d,
  escape: 0xff1b,
  delete: 0xffff,
  shiftLeft: 0xffe1,
  shiftRight: 0xffe2,
  controlLeft: 0xffe3,
  controlRight: 0xffe4,
  capsLock: 0xffe5,
  metaLeft: 0xffe7,
  metaRight: 0xffe8,
  altLeft: 0xffe9,
  altRight: 0xffea,
  superLeft: 0xffeb,
  superRight: 0xffec,
  hyperLeft: 0xffed,
  hyperRight: 0xffee,
} as const;

/** Unicode's characters above Latin-1 are keysyms with this added (X Window System Protocol, appendix A). */
const unicodeOffset = 0x01000000;

/** What people and models call keys, beside their keysym names. In small letters. */
const otherNames: Record<string, number> = {
  ctrl: keysym.controlLeft,
  control: keysym.controlLeft,
  alt: keysym.altLeft,
  option: keysym.altLeft,
  shift: keysym.shiftLeft,
  super: keysym.superLeft,
  meta: keysym.superLeft,
  win: keysym.superLeft,
  cmd: keysym.superLeft,
  command: keysym.superLeft,
  enter: keysym.return,
  esc: keysym.escape,
  del: keysym.delete,
  ins: 0xff63,
  pageup: 0xff55,
  pgup: 0xff55,
  pagedown: 0xff56,
  pgdn: 0xff56,
  arrowleft: 0xff51,
  arrowup: 0xff52,
  arrowright: 0xff53,
  arrowdown: 0xff54,
  printscreen: 0xff61,
};

const names = new Map(Object.entries(x11.keySyms).map(([name, { code }]) => [name.slice('XK_'.length), code]));
const namesInSmall = new Map([...names].map(([name, code]) => [name.toLowerCase(), code]));
const charactersOfOldKeysyms = new Map(
  Object.values(x11.keySyms).flatMap(({ code, description }) => oldCharacter(code, description)),
);
/** What is offered instead of a wrong name: keys of a keyboard, no letters of other scripts. */
const offered = [...names].filter(([name, code]) => code >= 0xff00 && !name.startsWith('KP_')).map(([name]) => name);

/** The keysym that types this character (one code point). A line feed is Return. */
export function keysymOfCharacter(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (character === '\n' || character === '\r') return keysym.return;
  if (character === '\t') return keysym.tab;
  if (character === '\b') return keysym.backSpace;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0))
    throw new InputRefusedError(
      `the text has the control character U+${point.toString(16).toUpperCase().padStart(4, '0')}: press keys for it`,
    );
  return point <= 0xff ? point : unicodeOffset + point;
}

/** The character that a keysym types, or undefined for a key that types none. */
export function characterOfKeysym(code: number): string | undefined {
  if ((code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xff)) return String.fromCodePoint(code);
  if (code > unicodeOffset && code <= unicodeOffset + 0x10ffff) return String.fromCodePoint(code - unicodeOffset);
  return charactersOfOldKeysyms.get(code);
}

/** What a key is called: `Return`, `F5`; undefined if it has no name. */
export function nameOfKeysym(code: number): string | undefined {
  return namesOfKeysyms.get(code);
}
const namesOfKeysyms = new Map([...names].reverse().map(([name, code]) => [code, name]));

/**
 * Reads `ctrl+l`, `Return`, `alt+Tab`, `ctrl++`: the keys to hold, in order, and the last, which is pressed. A capital letter after
 * ctrl, alt or super is that letter's key, without Shift, as people write shortcuts.
 *
 * @throws InputRefusedError for a name that is none, with the nearest ones
 */
export function readKeys(keys: string): { held: number[]; pressed: number } {
  // The key + itself comes last: `+`, `ctrl++`.
  const parts = keys.endsWith('+') ? [...keys.slice(0, -1).split('+').filter(Boolean), '+'] : keys.split('+');
  const codes = parts.map((part) => keysymNamed(part.trim()));
  const pressed = codes.pop();
  if (pressed === undefined) throw new InputRefusedError('no key was named (for example: Return, ctrl+l, alt+Tab)');
  const isShortcut = codes.some((code) => isModifier(code) && !isShift(code));
  const isCapital = pressed >= 0x41 && pressed <= 0x5a;
  return { held: codes, pressed: isShortcut && isCapital ? pressed + 0x20 : pressed };
}

export function isShift(code: number): boolean {
  return code === keysym.shiftLeft || code === keysym.shiftRight;
}

/** Shift, Control, Lock, Alt, Meta, Super, Hyper and what switches levels and groups. */
export function isModifier(code: number): boolean {
  return (code >= keysym.shiftLeft && code <= keysym.hyperRight) || isLevelSwitch(code);
}

/**
 * Keys that only choose what other keys mean: AltGr, Caps Lock, Num Lock … A viewer says which character it wants, so that pressing
 * these, too, would apply them twice.
 */
export function isLevelSwitch(code: number): boolean {
  const isLock = code === keysym.capsLock || code === 0xffe6 || code === 0xff7f;
  return isLock || (code >= 0xfe01 && code <= 0xfe13) || code === 0xff7e;
}

function keysymNamed(name: string): number {
  const isOneCharacter = [...name].length === 1;
  const found = isOneCharacter
    ? keysymOfCharacter(name)
    : (names.get(name) ?? otherNames[name.toLowerCase()] ?? namesInSmall.get(name.toLowerCase()));
  if (found !== undefined) return found;
  const near = nearest(name, [...offered, ...Object.keys(otherNames)], 3);
  throw new InputRefusedError(`unknown key "${name}" (nearest: ${near.join(', ')}; X keysym names, with + between)`);
}

/** Old keysyms of other scripts (Cyrillic_ef) are described as `(ф) CYRILLIC …`. Letters only: some symbols are only nearly the same. */
function oldCharacter(code: number, description: string | null): [number, string][] {
  const [, character] = description?.match(/^\(([\p{L}\p{Sc}])\)/u) ?? [];
  return character === undefined || code >= unicodeOffset ? [] : [[code, character]];
}

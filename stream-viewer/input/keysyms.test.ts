import { expect, it } from 'vitest';
import { keyOf, keysymOf } from './keysyms.ts';

it.each([
  ['a', 'character', 0x61],
  ['A', 'character', 0x41],
  ['é', 'character', 0xe9],
  ['世', 'character', 0x01004e16],
  ['🙂', 'character', 0x0101f642],
  ['Enter', 'special', 0xff0d],
  ['ArrowUp', 'special', 0xff52],
  ['F1', 'special', 0xffbe],
  ['F12', 'special', 0xffc9],
  ['Control', 'modifier', 0xffe3],
] as const)('%s is a %s with its keysym', (key, kind, keysym) => {
  expect(keyOf(key)).toEqual({ kind, keysym });
});

it('knows the right-hand modifiers', () => {
  expect(keyOf('Shift', 2)?.keysym).toBe(0xffe2);
});

it.each(['Dead', 'Unidentified', 'F25', 'MediaPlayPause', ''])('has none for %j', (key) => {
  expect(keyOf(key)).toBeNull();
});

it('gives Latin-1 its own numbers and the rest their code point', () => {
  expect(keysymOf('ÿ')).toBe(0xff);
  expect(keysymOf('Ā')).toBe(0x01000100);
});

import { describe, expect, it } from 'vitest';
import { InputRefusedError } from '../stream/streamer.ts';
import { characterOfKeysym, keysym, keysymOfCharacter, readKeys } from './keysyms.ts';

describe('the names of keys', () => {
  it('are X keysym names, and what people call keys', () => {
    expect(readKeys('Return')).toEqual({ held: [], pressed: keysym.return });
    expect(readKeys('Enter')).toEqual({ held: [], pressed: keysym.return });
    expect(readKeys('F5')).toEqual({ held: [], pressed: 0xffc2 });
    expect(readKeys('ctrl+l')).toEqual({ held: [keysym.controlLeft], pressed: 0x6c });
    expect(readKeys('alt+Tab')).toEqual({ held: [keysym.altLeft], pressed: keysym.tab });
    expect(readKeys('page_down').pressed).toBe(0xff56);
    expect(readKeys('é').pressed).toBe(0xe9);
    expect(readKeys('世').pressed).toBe(0x01004e16);
  });

  it('may be the plus sign', () => {
    expect(readKeys('+')).toEqual({ held: [], pressed: 0x2b });
    expect(readKeys('ctrl++')).toEqual({ held: [keysym.controlLeft], pressed: 0x2b });
  });

  it('of letters are the same in capitals in a shortcut, unless Shift is said', () => {
    expect(readKeys('Ctrl+L').pressed).toBe(0x6c);
    expect(readKeys('ctrl+shift+t')).toEqual({ held: [keysym.controlLeft, keysym.shiftLeft], pressed: 0x74 });
    expect(readKeys('L').pressed).toBe(0x4c);
  });

  it('that are wrong are refused with the nearest ones', () => {
    expect(() => readKeys('Retrun')).toThrow(InputRefusedError);
    expect(() => readKeys('Retrun')).toThrow(/unknown key "Retrun" \(nearest: Return/);
    expect(() => readKeys('ctrl+PageDwn')).toThrow(/pagedown/);
    expect(() => readKeys('')).toThrow(InputRefusedError);
  });
});

describe('a character', () => {
  it('has a keysym, and that keysym the character', () => {
    for (const character of ['a', 'ß', 'я', '世', '🙂', '~'])
      expect(characterOfKeysym(keysymOfCharacter(character))).toBe(character);
    expect(characterOfKeysym(0x06d1)).toBe('я');
    expect(characterOfKeysym(keysym.return)).toBeUndefined();
  });

  it('that is a control character is refused, but for a line feed, a tab and a backspace', () => {
    expect(['\n', '\t', '\b'].map(keysymOfCharacter)).toEqual([keysym.return, keysym.tab, keysym.backSpace]);
    expect(() => keysymOfCharacter('\u0003')).toThrow(/U\+0003/);
  });
});

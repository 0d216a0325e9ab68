import { type Input, textAtMost } from '../../sandbox/protocol.ts';
import { keyOf } from './keysyms.ts';

/**
 * Text as input: pieces of at most {@link textAtMost} bytes that cut no character, and presses of Return and Tab where a text has line
 * ends and tabs, since those are keys to whatever reads them.
 */
export function typeText(text: string): Input[] {
  return text
    .split(/(\r\n|\r|\n|\t)/)
    .filter((part) => part !== '')
    .flatMap((part) => {
      if (part === '\t') return press('Tab');
      if (/^[\r\n]/.test(part)) return press('Enter');
      return pieces(part).map((piece): Input => ({ type: 'text', text: piece }));
    });
}

/** A key down and up, by KeyboardEvent.key. Nothing for one that doesn't exist. */
export function press(key: string): Input[] {
  const keysym = keyOf(key)?.keysym;
  if (keysym === undefined) return [];
  return [
    { type: 'key', down: true, keysym },
    { type: 'key', down: false, keysym },
  ];
}

function pieces(text: string): string[] {
  const all: string[] = [];
  let piece = '';
  let bytes = 0;
  for (const character of text) {
    const size = new TextEncoder().encode(character).byteLength;
    if (bytes + size > textAtMost) {
      all.push(piece);
      piece = '';
      bytes = 0;
    }
    piece += character;
    bytes += size;
  }
  return piece === '' ? all : [...all, piece];
}

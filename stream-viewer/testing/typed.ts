import type { Input } from '../../sandbox/protocol.ts';

const modifiers = new Set([0xffe1, 0xffe2, 0xffe3, 0xffe4, 0xffe9, 0xffea, 0xffeb, 0xffec]);

/** What a terminal would have received: texts, and the characters of keys that were pressed; other keys as `<keysym>`. */
export function typed(inputs: readonly Input[]): string {
  return inputs
    .map((input) => {
      if (input.type === 'text') return input.text;
      if (input.type !== 'key' || !input.down || modifiers.has(input.keysym)) return '';
      if (input.keysym === 0xff0d) return '\n';
      if (input.keysym === 0xff08) return '<back>';
      return input.keysym < 0x100 ? String.fromCodePoint(input.keysym) : `<${input.keysym.toString(16)}>`;
    })
    .join('');
}

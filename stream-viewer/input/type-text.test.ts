import { expect, it } from 'vitest';
import { decodeInput, encodeInput, type Input, textAtMost } from '../../sandbox/protocol.ts';
import { typeText } from './type-text.ts';

it('sends a line as it is', () => {
  expect(typeText('héllo 世界 🙂')).toEqual([{ type: 'text', text: 'héllo 世界 🙂' }]);
  expect(typeText('')).toEqual([]);
});

it('presses Return and Tab where the text has them', () => {
  const key = (keysym: number): Input[] => [
    { type: 'key', down: true, keysym },
    { type: 'key', down: false, keysym },
  ];
  expect(typeText('a\r\n\tb\n')).toEqual([
    { type: 'text', text: 'a' },
    ...key(0xff0d),
    ...key(0xff09),
    { type: 'text', text: 'b' },
    ...key(0xff0d),
  ]);
});

it('cuts a long text into frames that the wire takes, between characters', () => {
  const text = `x${'🙂'.repeat(3000)}`;
  const inputs = typeText(text);
  expect(inputs.length).toBe(Math.ceil(12_001 / textAtMost));
  const arrived = inputs.map((input) => decodeInput(encodeInput(input)));
  expect(arrived.map((input) => (input.type === 'text' ? input.text : '')).join('')).toBe(text);
});

import { expect, it } from 'vitest';
import { nameIn } from './fetch-file.ts';

it.each([
  ['attachment; filename=assistant-30s.mp4', 'assistant-30s.mp4'],
  ['attachment; filename="a \\"b\\" c.mp4"', 'a "b" c.mp4'],
  [`attachment; filename="?.mp4"; filename*=UTF-8''%C3%BC%20%22.mp4`, 'ü ".mp4'],
  ['attachment', 'file'],
])('finds the name in %s', (header, name) => {
  expect(nameIn(header)).toBe(name);
});

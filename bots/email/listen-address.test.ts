import { expect, it } from 'vitest';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';

it.each([
  ['127.0.0.1:2525', '127.0.0.1', 2525],
  ['[::1]:25', '::1', 25],
  ['mail.example.com:25', 'mail.example.com', 25],
])('reads and writes %s', (text, host, port) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
  expect(formatListenAddress({ host, port })).toBe(text);
});

it('listens on this machine only when there is a port alone', () => {
  expect(parseListenAddress('2525')).toEqual({ host: '127.0.0.1', port: 2525 });
});

it.each(['', 'localhost', ':25', '1.2.3.4:', '1.2.3.4:99999', '::1:25'])('does not take %j', (text) => {
  expect(parseListenAddress(text)).toBeUndefined();
});

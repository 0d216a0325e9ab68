import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  addressRange,
  baseUrl,
  bytes,
  commaList,
  flag,
  hostName,
  httpUrl,
  oneOf,
  portNumber,
  seconds,
} from './setting-types.ts';

const accepted: [string, z.ZodType, string, unknown][] = [
  ['a port', portNumber, '8080', 8080],
  ['a port', portNumber, '0', 0],
  ['a host', hostName, '127.0.0.1', '127.0.0.1'],
  ['a host', hostName, '[::1]', '::1'],
  ['a host', hostName, 'db.example.com', 'db.example.com'],
  ['a URL', httpUrl, 'https://example.com/a?version=1', 'https://example.com/a?version=1'],
  ['a base URL', baseUrl, 'https://example.com/v1//', 'https://example.com/v1'],
  ['a base URL', baseUrl, 'http://localhost:8080', 'http://localhost:8080'],
  ['a flag', flag, 'Yes', true],
  ['a flag', flag, '1', true],
  ['a flag', flag, 'off', false],
  ['a length of time', seconds, '90', 90],
  ['a length of time', seconds, '500ms', 0.5],
  ['a length of time', seconds, '10 m', 600],
  ['a length of time', seconds, '1.5h', 5400],
  ['a length of time', seconds, '30d', 2_592_000],
  ['a size', bytes, '65536', 65_536],
  ['a size', bytes, '64KiB', 65_536],
  ['a size', bytes, '25MB', 25_000_000],
  ['a word', oneOf('on', 'off'), 'off', 'off'],
  ['a list', commaList(oneOf('a', 'b')), ' a, b,,', ['a', 'b']],
  ['a list', commaList(portNumber), '1,2', [1, 2]],
  ['a range', addressRange, '10.0.0.0/8', '10.0.0.0/8'],
  ['a range', addressRange, 'fd00::/64', 'fd00::/64'],
  ['a range', addressRange, '192.0.2.7', '192.0.2.7'],
];

const refused: [string, z.ZodType, string, RegExp][] = [
  ['a port', portNumber, '80a', /whole number from 0 to 65535/],
  ['a port', portNumber, '65536', /whole number from 0 to 65535/],
  ['a port', portNumber, '-1', /whole number/],
  ['a port', portNumber, '1e3', /whole number/],
  ['a host', hostName, '127.0.0.1:80', /without a port/],
  ['a host', hostName, 'http://x', /IP address or a host name/],
  ['a URL', httpUrl, 'example.com', /http:\/\/ or https:\/\//],
  ['a URL', httpUrl, 'ftp://example.com', /http:\/\/ or https:\/\//],
  ['a URL', httpUrl, 'http:///path', /http:\/\/ or https:\/\//],
  ['a base URL', baseUrl, 'https://example.com/?a=1', /no \? or #/],
  ['a flag', flag, 'maybe', /true or false/],
  ['a length of time', seconds, '10 minutes', /such as 90 \(seconds\)/],
  ['a size', bytes, '1 mb', /such as 65536/],
  ['a word', oneOf('on', 'off'), 'of', /one of on, off/],
  ['a list', commaList(portNumber), '1,x', /whole number/],
  ['a range', addressRange, '10.0.0.0/33', /addresses or ranges/],
  ['a range', addressRange, '10.0.0.0/', /addresses or ranges/],
  ['a range', addressRange, '10.0.0/8', /addresses or ranges/],
  ['a range', addressRange, 'example.com', /addresses or ranges/],
];

describe('setting types', () => {
  it.each(accepted)('%s may be written so: %#', (_what, type, written, value) => {
    expect(type.parse(written)).toEqual(value);
  });

  it.each(refused)('%s says what is valid: %#', (_what, type, written, rule) => {
    const parsed = type.safeParse(written);
    expect(parsed.error?.issues[0]?.message).toMatch(rule);
    expect(parsed.error?.issues[0]?.message).not.toContain(`"${written}"`);
  });
});

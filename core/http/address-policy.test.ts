import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { allowAddresses, isLoopback } from './address-policy.ts';

/** A request as it would come from an address that this machine does not have. */
function requestFrom(remoteAddress: string, headers: IncomingHttpHeaders = {}): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
  return Object.assign(new IncomingMessage(socket), { headers });
}

describe('allowAddresses', () => {
  const mayPass = allowAddresses(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::7']);

  it.each([
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '192.0.2.7',
    'fd12::1',
    '2001:db8::7',
  ])('lets %s pass', (address) => {
    expect(mayPass(requestFrom(address))).toBe(true);
  });

  it.each(['11.0.0.1', '192.0.2.8', '2001:db8::8', '::ffff:192.0.2.8', 'fe80::1%eth0'])('stops %s', (address) => {
    expect(mayPass(requestFrom(address))).toBe(false);
  });

  it('believes no header', () => {
    expect(mayPass(requestFrom('192.0.2.8', { 'x-forwarded-for': '127.0.0.1' }))).toBe(false);
    expect(mayPass(requestFrom('127.0.0.1', { 'x-forwarded-for': '192.0.2.8' }))).toBe(false);
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1'])('%s is', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'localhost', '', 'not an address'])('"%s" is not', (address) => {
    expect(isLoopback(address)).toBe(false);
  });
});

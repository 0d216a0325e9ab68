import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';

/** Whether the peer of a request may do something that not everybody may. */
export type AddressPolicy = (request: IncomingMessage) => boolean;

/** Headers by which a proxy says that the request came from elsewhere: then its own address says nothing. */
const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-real-ip'];

/**
 * Allows this machine, and the given addresses and CIDR ranges. The socket's address counts, never a header's; but a request
 * that a proxy on this machine passed on is not from this machine, and is allowed only where the proxy's own address is given.
 */
export function allowAddresses(ranges: readonly string[]): AddressPolicy {
  const allowed = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    allowed.addSubnet(address, Number(prefix ?? (isIPv6(address) ? 128 : 32)), family(address));
  }
  return (request) => {
    const peer = request.socket.remoteAddress;
    if (peer === undefined) return false;
    if (allowed.check(peer, family(peer))) return true;
    return isLoopback(peer) && FORWARDING.every((header) => request.headers[header] === undefined);
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Whether an IP address is this machine's own, `::ffff:127.0.0.1` included; false for anything that is no address. */
export function isLoopback(address: string): boolean {
  return loopback.check(address, family(address));
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

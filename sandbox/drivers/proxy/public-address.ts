import { BlockList, isIP } from 'node:net';

/**
 * Networks that are not the Internet: IANA's special-purpose registries (RFC 6890 and its updates), multicast and what is reserved.
 * Metadata services of clouds are among them (169.254.0.0/16, fd00:ec2::/32 in fc00::/7, 100.100.100.200 in 100.64.0.0/10).
 */
const special = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  special.addSubnet(network, prefix, 'ipv4');

/** Of IPv6 only what is allotted to the Internet (2000::/3), without the parts that carry an IPv4 address or are for examples. */
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(network, prefix, 'ipv6');

/** True for an address of the Internet: not this host, its networks, or what a cloud puts beside it. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  // an IPv4 address in the coat of IPv6 (::ffff:…) is outside 2000::/3
  return family === 6 && global6.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

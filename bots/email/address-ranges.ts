import { BlockList, isIPv6 } from 'node:net';

/** Whether an IP address lies in one of some ranges; an IPv4 address written as `::ffff:…` counts as IPv4. */
export type AddressRanges = (address: string) => boolean;

/** Makes the test for addresses and CIDR ranges such as `10.0.0.0/8`. What is no address lies in none. */
export function addressRanges(ranges: readonly string[]): AddressRanges {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    list.addSubnet(address, Number(prefix ?? (isIPv6(address) ? 128 : 32)), family(address));
  }
  return (address) => {
    const plain = address.replace(/%.*$/, '');
    return list.check(plain, family(plain));
  };
}

/** This machine and networks that nobody owns (RFC 6890): no domain's SPF record can say anything about their hosts. */
export const isPrivateAddress = addressRanges([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1',
  'fc00::/7',
  'fe80::/10',
]);

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

import { domainToASCII } from 'node:url';

/** Longer ones exist in no standard (RFC 5321 §4.5.3.1: 64 octets and 255 octets). */
const longest = 320;

/**
 * A mail address in the one form that is stored and compared: lower case, the domain in ASCII. Undefined for what cannot be
 * written to: no `@`, blanks, a quoted local part, an IP address as the domain. Upper and lower case in front of the `@` are
 * taken for the same, as every mail server in use does.
 */
export function normaliseAddress(text: string | undefined): string | undefined {
  const address = text?.trim() ?? '';
  const match = /^([^\s@<>()[\]\\,;:"]+)@([^\s@<>()[\]\\,;:"]+)$/u.exec(address);
  if (!match || address.length > longest || hasControl(address)) return undefined;
  const [, local = '', written = ''] = match;
  const domain = domainToASCII(written.replace(/\.$/, ''));
  return domain === '' ? undefined : `${local.toLowerCase()}@${domain.toLowerCase()}`;
}

/** What stands behind the `@`. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** A recipient of ours, taken apart: `assistant+t-1@example.com` is alias `assistant`, tag `t-1`. */
export interface AliasAddress {
  alias: string;
  tag: string | undefined;
  domain: string;
}

/** Takes a recipient's address apart. Undefined when it is no address. */
export function parseAliasAddress(text: string): AliasAddress | undefined {
  const address = normaliseAddress(text);
  if (!address) return undefined;
  const local = address.slice(0, address.lastIndexOf('@'));
  const plus = local.indexOf('+');
  if (plus === 0) return undefined;
  return {
    alias: plus < 0 ? local : local.slice(0, plus),
    tag: plus < 0 ? undefined : local.slice(plus + 1),
    domain: domainOf(address),
  };
}

function hasControl(text: string): boolean {
  return /\p{C}/u.test(text);
}

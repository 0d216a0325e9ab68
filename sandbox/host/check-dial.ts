import { isIP } from 'node:net';

/** Where a host was told to connect, and why it does not. */
export class DialRefusedError extends Error {
  constructor(why: string) {
    super(`this host does not dial there: ${why}`);
    this.name = 'DialRefusedError';
  }
}

/**
 * Whether the host may connect to where the core told it to. The link is authenticated, so that the address is the core's own word
 * (its ADVERTISE_URL); what is refused is what no core could mean: another scheme, credentials, and an address of this machine or of
 * its cloud's metadata service while the core is elsewhere.
 *
 * @param coreUrls the addresses by which this host reaches the core
 * @throws DialRefusedError
 */
export function checkDial(url: string, coreUrls: readonly string[]): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (!target || !/^wss?:$/.test(target.protocol)) throw new DialRefusedError('it is no ws: or wss: address');
  if (target.username !== '' || target.password !== '') throw new DialRefusedError('it holds credentials');
  const cores = coreUrls.map((core) => new URL(core).hostname);
  if (cores.includes(target.hostname)) return target;
  if (isLoopback(target.hostname) && !cores.some(isLoopback))
    throw new DialRefusedError('it is this machine, and the core is not: set ADVERTISE_URL on the core');
  if (isLinkLocal(target.hostname)) throw new DialRefusedError('it is a link-local address');
  return target;
}

function isLoopback(hostname: string): boolean {
  const host = bare(hostname);
  if (isIP(host) === 0) return host === 'localhost' || host.endsWith('.localhost');
  return /^(127\.|0\.)/.test(mapped(host)) || host === '::1' || host === '::';
}

/** 169.254.0.0/16 (RFC 3927), where clouds have their metadata service, and fe80::/10 (RFC 4291). */
function isLinkLocal(hostname: string): boolean {
  const host = bare(hostname);
  return isIP(host) !== 0 && (/^169\.254\./.test(mapped(host)) || /^fe[89ab]/i.test(host));
}

function bare(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/** `::ffff:7f00:1` (an IPv4 address written as IPv6, as URL normalises it) → `127.0.0.1`. */
function mapped(host: string): string {
  const words = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (!words) return host;
  const [high, low] = [words[1], words[2]].map((word) => Number.parseInt(word ?? '', 16));
  return [(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.');
}

import { describe, expect, it } from 'vitest';
import { allowedHosts } from './allowed-hosts.ts';

describe('a list of hosts', () => {
  const allowed = allowedHosts(['example.org', '*.wiki.org', 'Build.Example.com:8443']);

  it.each([
    ['example.org', 443],
    ['example.org', 80],
    ['EXAMPLE.org.', 443],
    ['en.wiki.org', 443],
    ['a.b.wiki.org', 443],
    ['build.example.com', 8443],
  ] as const)('allows %s:%i', (host, port) => {
    expect(allowed(host, port)).toBe(true);
  });

  it.each([
    ['www.example.org', 443],
    ['example.org', 22],
    ['example.org.evil.net', 443],
    ['notexample.org', 443],
    ['wiki.org', 443],
    ['.wiki.org', 443],
    ['evilwiki.org', 443],
    ['build.example.com', 443],
    ['', 443],
  ] as const)('does not allow %s:%i', (host, port) => {
    expect(allowed(host, port)).toBe(false);
  });

  it('is refused when an entry is no host', () => {
    expect(() => allowedHosts(['https://example.org'])).toThrow('"https://example.org" is no host');
    expect(() => allowedHosts(['*'])).toThrow('"*" is no host');
  });
});

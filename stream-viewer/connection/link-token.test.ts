import { expect, it } from 'vitest';
import { takeLinkToken } from './link-token.ts';

/** A browser's tab, as far as an address and what is kept for the tab go. */
function tab(hash: string, stored = new Map<string, string>()) {
  const addresses: string[] = [];
  const page = {
    location: { pathname: '/d/d-1', search: '', hash } as Location,
    history: {
      replaceState: (_data: unknown, _title: string, url: string) => addresses.push(url),
    } as unknown as History,
    storage: () =>
      ({
        getItem: (key: string) => stored.get(key) ?? null,
        setItem: (key: string, value: string) => stored.set(key, value),
      }) as unknown as Storage,
  };
  return { page, stored, addresses };
}

it('takes the token out of the address at once, and keeps it for a reload', () => {
  const { page, stored, addresses } = tab('#a.b.c');
  expect(takeLinkToken(page).value).toBe('a.b.c');
  expect(addresses).toEqual(['/d/d-1']);
  expect(takeLinkToken(tab('', stored).page).value).toBe('a.b.c');
});

it('prefers the token of the address to the one that is kept', () => {
  const { page } = tab('#new', new Map([['switchboard:/d/d-1', 'old']]));
  expect(takeLinkToken(page).value).toBe('new');
});

it('keeps the token that the core sends later', () => {
  const { page, stored } = tab('#a');
  takeLinkToken(page).replace('b');
  expect(takeLinkToken(tab('', stored).page).value).toBe('b');
});

it('works in a browser that keeps nothing', () => {
  const { page } = tab('#a');
  const refuse = () => {
    throw new DOMException('no', 'SecurityError');
  };
  expect(takeLinkToken({ ...page, storage: refuse }).value).toBe('a');
  expect(takeLinkToken({ ...tab('').page, storage: refuse }).value).toBeNull();
});

it('takes a token that was cut within its encoding as it is: the core says that it opens nothing', () => {
  expect(takeLinkToken(tab('#a.b%2').page).value).toBe('a.b%2');
});

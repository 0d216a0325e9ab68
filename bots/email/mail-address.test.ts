import { describe, expect, it } from 'vitest';
import { normaliseAddress, parseAliasAddress } from './mail-address.ts';

describe('an address', () => {
  it.each([
    ['Sam@Example.COM', 'sam@example.com'],
    [' sam@example.com. ', 'sam@example.com'],
    ['sam@bücher.example', 'sam@xn--bcher-kva.example'],
    ['sam@xn--bcher-kva.example', 'sam@xn--bcher-kva.example'],
    ['søren@example.com', 'søren@example.com'],
    ['root@localhost', 'root@localhost'],
  ])('%s has the one form %s', (text, address) => {
    expect(normaliseAddress(text)).toBe(address);
  });

  it.each([
    '',
    'sam',
    '@example.com',
    'sam@',
    'a b@example.com',
    'a@b@c',
    'sam@[127.0.0.1]',
    '"sam"@example.com',
    'a\r\nb@c.de',
    'a\u200b@c.de',
  ])('is not made of %j', (text) => {
    expect(normaliseAddress(text)).toBeUndefined();
  });
});

describe('the address of an alias', () => {
  it('has a tag behind the plus', () => {
    expect(parseAliasAddress('Assistant+T-1@localhost')).toEqual({
      alias: 'assistant',
      tag: 't-1',
      domain: 'localhost',
    });
    expect(parseAliasAddress('assistant@localhost')).toEqual({
      alias: 'assistant',
      tag: undefined,
      domain: 'localhost',
    });
    expect(parseAliasAddress('a+b+c@localhost')?.tag).toBe('b+c');
  });

  it('has a name in front of the plus', () => {
    expect(parseAliasAddress('+x@localhost')).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { boundedChain, messageIdOf, messageIdsIn, referencesFor } from './message-ids.ts';

const raw = Buffer.from('From: a@b.c\r\n\r\nhello');

describe('Message-IDs', () => {
  it('are found between phrases and line breaks, each once', () => {
    expect(messageIdsIn('Your mail of Monday <1@a>\r\n <2@b> (sic) <1@a>')).toEqual(['<1@a>', '<2@b>']);
    expect(messageIdsIn('no id at all')).toEqual([]);
  });

  it('get their brackets where a program forgot them', () => {
    expect(messageIdOf('1@a', raw)).toBe('<1@a>');
  });

  it('are made from the mail that has none, the same each time it comes', () => {
    expect(messageIdOf(undefined, raw)).toBe(messageIdOf('  ', Buffer.from(raw)));
    expect(messageIdOf(undefined, raw)).not.toBe(messageIdOf(undefined, Buffer.from(`${raw}!`)));
    expect(messageIdOf(undefined, raw)).toMatch(/^<[^<>\s]+@[^<>\s]+>$/);
  });

  it('are short enough for a key of the database, and still told apart', () => {
    const long = (end: string) => `<${'x'.repeat(1900)}${end}@a>`;
    expect(messageIdOf(long('1'), raw).length).toBeLessThan(250);
    expect(messageIdOf(long('1'), raw)).not.toBe(messageIdOf(long('2'), raw));
    expect(messageIdOf(long('1'), raw)).toBe(messageIdsIn(long('1'))[0]);
  });
});

describe('References', () => {
  it('end with the mail that is answered, once', () => {
    expect(referencesFor({ references: ['<1@a>', '<2@a>'], messageId: '<2@a>' })).toEqual(['<1@a>', '<2@a>']);
    expect(referencesFor({ references: [], messageId: '<1@a>' })).toEqual(['<1@a>']);
  });

  it('of a long chain keep the first and the last', () => {
    const ids = Array.from({ length: 50 }, (_, n) => `<${n}@a>`);
    expect(boundedChain(ids)).toEqual(['<0@a>', ...ids.slice(31)]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import { coreForTests, furnish } from '../dispatch/testing/core-for-tests.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { findAddressed, isAside, parseCommand } from './address.ts';

let database: TestDatabase;
let core: Core;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await testDatabase();
  ({ core, close } = await coreForTests({ url: database.url }));
  await furnish(core, 'acme', [
    { id: 'w-scout', kind: 'ai' },
    { id: 'w-ada', kind: 'human' },
  ]);
  await core.database.query(
    `insert into worker (organisation, id, name, kind) values ('acme', 'w-lead', 'Scout Leader', 'ai'), ('acme', 'w-émile', 'Émile', 'ai')`,
  );
});

afterAll(async () => {
  await close();
  await database.close();
});

describe('the worker named at the head of a text', () => {
  it.each([
    ['Scout, look at this', 'w-scout'],
    ['scout look at this', 'w-scout'],
    ['@Scout: look', 'w-scout'],
    ['SCOUT!', 'w-scout'],
    ['Scout leader, you too', 'w-lead'],
    ['Scout\nlook at this', 'w-scout'],
    ['émile, bonjour', 'w-émile'],
    ['Scouting is fun', null],
    ['Please, Scout', null],
    ['Ada, hello', null],
    ['', null],
    ['...', null],
  ])('of %j is %s', async (text, worker) => {
    expect(await findAddressed(core.database, 'acme', text)).toBe(worker);
  });

  it('is looked for in its own organisation only', async () => {
    expect(await findAddressed(core.database, 'other', 'Scout, look')).toBeNull();
  });

  it('is found for many texts at once', async () => {
    const texts = Array.from({ length: 100 }, (_, i) => (i % 2 ? 'Scout, hello' : 'hello'));
    const found = await Promise.all(texts.map((text) => findAddressed(core.database, 'acme', text)));
    expect(found).toEqual(texts.map((text) => (text.startsWith('Scout') ? 'w-scout' : null)));
  });
});

describe('commands and asides', () => {
  it('are read off the head of the text', () => {
    expect(parseCommand('/stop')).toEqual({ name: 'stop', argument: '', slash: true });
    expect(parseCommand(' Stop ')).toEqual({ name: 'stop', argument: '', slash: false });
    expect(parseCommand('/log w-scout')).toEqual({ name: 'log', argument: 'w-scout', slash: true });
    expect(parseCommand('hello\nthere')).toBeNull();
    expect(parseCommand('is it 5?\nyes')).toBeNull();
    expect(isAside('(Aside) lunch?')).toBe(true);
    expect(isAside('as an (aside)')).toBe(false);
  });
});

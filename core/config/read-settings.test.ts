import { describe, expect, expectTypeOf, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { checkStorable, isConfigured, readBootstrapSettings, readSettings } from './read-settings.ts';
import { defineSettings, derived } from './setting.ts';
import { commaList, oneOf, portNumber, text } from './setting-types.ts';

const listening = defineSettings({
  PORT: { type: portNumber, default: 8080, description: 'the port' },
});
const settings = defineSettings({
  ...listening,
  LINK: { type: text, default: derived(listening, ({ PORT }) => `at ${PORT}`), description: 'follows PORT' },
  TOKEN: { type: text.min(8, 'it must have 8 characters'), secret: true, description: 'a secret' },
  MODE: { type: oneOf('fast', 'slow'), default: 'fast', description: 'a word' },
  NAMES: { type: commaList(text), default: [], description: 'a list' },
  DATA_DIR: { type: text, default: './data', environmentOnly: true, description: 'a folder' },
});

type Written = Record<string, string>;

function read(environment: Written, dotenv: Written = {}, stored: Written = {}) {
  return readSettings(settings, { environment, dotenv }, async () => new Map(Object.entries(stored)));
}

async function problemsOf(...written: Parameters<typeof read>): Promise<string[]> {
  const error = await read(...written).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as ConfigurationError).message.split('\n');
}

describe('a value', () => {
  it('comes from the environment, else .env, else what was stored, else the default, and says so', async () => {
    const { values, origins } = await read(
      { PORT: '1' },
      { PORT: '2', MODE: 'slow' },
      { PORT: '3', MODE: 'fast', NAMES: 'a, b' },
    );
    expect(values).toEqual({
      PORT: 1,
      LINK: 'at 1',
      TOKEN: undefined,
      MODE: 'slow',
      NAMES: ['a', 'b'],
      DATA_DIR: './data',
    });
    expect(origins).toEqual({
      PORT: 'environment',
      LINK: 'default',
      TOKEN: 'default',
      MODE: '.env',
      NAMES: 'stored',
      DATA_DIR: 'default',
    });
  });

  it('has the type that its key declares', async () => {
    const { values } = await read({});
    expectTypeOf(values.PORT).toEqualTypeOf<number>();
    expectTypeOf(values.LINK).toEqualTypeOf<string>();
    expectTypeOf(values.TOKEN).toEqualTypeOf<string | undefined>();
    expectTypeOf(values.MODE).toEqualTypeOf<'fast' | 'slow'>();
    expectTypeOf(values.NAMES).toEqualTypeOf<readonly string[]>();
  });

  it('that is empty counts as not set', async () => {
    const { values, origins } = await read({ PORT: ' ' }, { PORT: '', MODE: '' }, { MODE: 'slow' });
    expect(values).toMatchObject({ PORT: 8080, MODE: 'slow' });
    expect(origins).toMatchObject({ PORT: 'default', MODE: 'stored' });
  });

  it('is known to be configured or a default, also when both are the same', async () => {
    expect(isConfigured(await read({}), 'PORT')).toBe(false);
    expect(isConfigured(await read({ PORT: '8080' }), 'PORT')).toBe(true);
  });

  it('that is set takes the place of a derived default', async () => {
    expect((await read({ PORT: '9' })).values.LINK).toBe('at 9');
    expect((await read({ PORT: '9', LINK: 'elsewhere' })).values.LINK).toBe('elsewhere');
  });
});

describe('an unknown key', () => {
  it('in .env is an error that names the nearest', async () => {
    expect(await problemsOf({}, { PROT: '1' })).toEqual([
      '.env: unknown setting "PROT"; the nearest known one is PORT, and docs/configuration.md lists all',
    ]);
  });

  it('in the environment is none of our business', async () => {
    expect((await read({ PROT: '1', PATH: '/bin' })).values.PORT).toBe(8080);
  });

  it('that another version stored is left alone and told', async () => {
    expect((await read({}, {}, { FUTURE: 'x' })).unknownStored).toEqual(['FUTURE']);
  });

  it('may not hide behind what every object has', async () => {
    expect(await problemsOf({}, { constructor: 'x' })).toHaveLength(1);
    expect(() => checkStorable(settings, 'toString', 'x')).toThrow(/unknown setting "toString"/);
  });
});

describe('a malformed value', () => {
  it('is told with its key, where it was written and what is valid', async () => {
    expect(await problemsOf({ PORT: '80a' })).toEqual([
      'PORT is "80a" (from the environment): it must be a whole number from 0 to 65535',
    ]);
    expect(await problemsOf({}, { MODE: 'medium' })).toEqual([
      'MODE is "medium" (from .env): it must be one of fast, slow',
    ]);
    expect(await problemsOf({}, {}, { MODE: 'x' })).toEqual([
      'MODE is "x" (set by "npx switchboard config set"): it must be one of fast, slow',
    ]);
  });

  it('is not repeated when it is secret', async () => {
    expect(await problemsOf({ TOKEN: 'hunter2' })).toEqual([
      'TOKEN is malformed (from the environment): it must have 8 characters',
    ]);
  });

  it('is told together with the others, one line each', async () => {
    expect(await problemsOf({ PORT: 'x', TOKEN: 'y' }, { MODE: 'z', PROT: '1' })).toHaveLength(4);
  });
});

describe('the first reading', () => {
  it('gives the keys that the database needs, and no other', () => {
    const first = readBootstrapSettings(settings, { environment: { DATA_DIR: '/srv' }, dotenv: {} });
    expect(first.values.DATA_DIR).toBe('/srv');
    expectTypeOf(first.values).toEqualTypeOf<{ readonly DATA_DIR: string }>();
  });

  it('already refuses what is wrong in any key', () => {
    const first = () => readBootstrapSettings(settings, { environment: { PORT: 'x' }, dotenv: {} });
    expect(first).toThrow(/PORT is "x"/);
  });
});

describe('config set', () => {
  it('takes a known key with a fitting value', () => {
    expect(() => checkStorable(settings, 'PORT', ' 81 ')).not.toThrow();
  });

  it.each([
    ['PROT', '1', /nearest known one is PORT/],
    ['PORT', 'x', /^PORT is "x": it must be a whole number/],
    ['TOKEN', 'hunter2', /^TOKEN is malformed: it must have 8 characters$/],
    ['DATA_DIR', '/srv', /set it in the environment or in \.env/],
    ['PORT', '', /config unset/],
  ])('refuses %s=%s', (key, value, why) => {
    expect(() => checkStorable(settings, key, value)).toThrow(ConfigurationError);
    expect(() => checkStorable(settings, key, value)).toThrow(why);
  });

  it('is not asked about environment-only keys that were stored all the same', async () => {
    expect((await read({}, {}, { DATA_DIR: '/elsewhere' })).values.DATA_DIR).toBe('./data');
  });
});

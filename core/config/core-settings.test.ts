import { describe, expect, it } from 'vitest';
import { advertiseUrlFor, coreSettings, publicUrlFor } from './core-settings.ts';
import { readSettings } from './read-settings.ts';

async function read(environment: Record<string, string>) {
  return (await readSettings(coreSettings, { environment, dotenv: {} }, async () => new Map())).values;
}

describe('the settings of the core', () => {
  it('start with nothing set, listening on this machine only', async () => {
    expect(await read({})).toMatchObject({
      PORT: 8080,
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://localhost:8080',
      ADVERTISE_URL: 'http://127.0.0.1:8080',
      DATA_DIR: './data',
      MODEL: undefined,
      METRICS_ALLOW: [],
    });
  });

  it('let the links follow the address and the port', async () => {
    expect(await read({ PORT: '9000', HOST: '192.0.2.7' })).toMatchObject({
      PUBLIC_URL: 'http://192.0.2.7:9000',
      ADVERTISE_URL: 'http://192.0.2.7:9000',
    });
    expect(publicUrlFor('::1', 1)).toBe('http://localhost:1');
    expect(publicUrlFor('2001:db8::1', 1)).toBe('http://[2001:db8::1]:1');
  });

  it('never advertise "every address", which leads a host nowhere', () => {
    for (const host of ['0.0.0.0', '::']) {
      const { hostname } = new URL(advertiseUrlFor(host, 8080));
      expect(hostname).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(hostname).not.toBe('0.0.0.0');
      expect(publicUrlFor(host, 8080)).toBe('http://localhost:8080');
    }
  });

  it.each([
    ['MODEL', 'gpt-5', /one of anthropic, openai, openai-compatible/],
    ['MODEL', 'opnai/gpt-5', /one of anthropic, openai, openai-compatible/],
    ['MODEL', 'openai/', /a provider and a model/],
    ['DATABASE_URL', 'mysql://u:hunter2@h/db', /^DATABASE_URL is malformed .*postgres:\/\//],
    ['SECRET_KEY', 'hunter2', /^SECRET_KEY is malformed .*openssl rand -base64 32/],
    ['LOG_LEVEL', 'loud', /one of trace, debug, info/],
    ['METRICS_ALLOW', '10.0.0.0/8,all', /addresses or ranges/],
    ['OPENAI_BASE_URL', 'localhost:11434', /http:\/\/ or https:\/\//],
  ])('refuse %s=%s and say what is valid', async (key, value, why) => {
    await expect(read({ [key]: value })).rejects.toThrow(why);
    if (coreSettings[key as 'SECRET_KEY'].secret) await expect(read({ [key]: value })).rejects.not.toThrow(/hunter2/);
  });

  it('take the models of each provider, slashes in their names included', async () => {
    for (const MODEL of ['anthropic/claude-x', 'openai/gpt-5', 'openai-compatible/org/model:7b']) {
      expect((await read({ MODEL })).MODEL).toBe(MODEL);
    }
  });
});

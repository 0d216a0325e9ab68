import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from '../../core/config/read-settings.ts';
import type { Core } from '../../core/core.ts';
import type { RunningBot } from '../../core/delivery/bot.ts';
import { coreForTests } from '../../core/dispatch/testing/core-for-tests.ts';
import { ConfigurationError } from '../../core/errors.ts';
import { addInstallation, findInstallation } from '../../core/organisation/installations.ts';
import { seed } from '../../core/organisation/seed.ts';
import { testDatabase } from '../../core/store/testing/test-database.ts';
import { sendMail } from '../../e2e/clients/send-mail.ts';
import { email } from './index.ts';

let core: Core;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  const test = await testDatabase();
  const opened = await coreForTests({ url: test.url });
  cleanups.push(test.close, opened.close);
  core = opened.core;
  await seed(core.database);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Starts the bot as main does, from what a person set. */
async function start(environment: Record<string, string>, defaults: Record<string, string> = {}): Promise<RunningBot> {
  const read = await readSettings(
    email.settings,
    { environment: { ...defaults, ...environment }, dotenv: {} },
    async () => new Map(),
  );
  const running = await email.start(core, read.values, {
    mount: () => {},
    publicUrl: 'http://localhost:8080',
    secretKey: createSecretKey(Buffer.alloc(32)),
    dataDirectory: '/nowhere',
    configured: new Set(Object.keys(environment)),
  });
  if (!running) throw new Error('the mail bot always runs');
  cleanups.push(running.stop);
  return running;
}

async function busyPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

describe('a fresh house', () => {
  it('takes mail to assistant@localhost and says so', async () => {
    const running = await start({ SMTP_LISTEN: '127.0.0.1:0' });
    const port = Number(/assistant@localhost {3}\(by SMTP to 127\.0\.0\.1:(\d+)\)/.exec(running.describe.join())?.[1]);
    const mail = { from: 'sam@example.com', to: 'assistant@localhost', subject: 'Hi', text: 'hello' };
    expect((await sendMail({ port, ...mail })).code).toBe(250);
    expect(await core.database.query('select organisation, worker from trigger')).toEqual([
      { organisation: 'default', worker: 'w-assistant' },
    ]);
  });

  it('warns that nothing can be sent without SMTP_URL', async () => {
    expect((await start({ SMTP_LISTEN: 'off' })).warnings).toEqual([expect.stringContaining('SMTP_URL is not set')]);
    expect((await start({ SMTP_LISTEN: 'off', SMTP_URL: 'smtp://127.0.0.1:25' })).warnings).toEqual([]);
  });

  it('listens nowhere when it is told so', async () => {
    expect((await start({ SMTP_LISTEN: 'OFF' })).describe).toEqual([expect.stringContaining('closed')]);
  });
});

describe('a busy port', () => {
  it('that was configured is an error that says what to do', async () => {
    const SMTP_LISTEN = `127.0.0.1:${await busyPort()}`;
    const starting = start({ SMTP_LISTEN });
    await expect(starting).rejects.toThrow(ConfigurationError);
    await expect(starting).rejects.toThrow(`${SMTP_LISTEN} is in use by another program. Set it to another`);
  });

  it('by default is a warning', async () => {
    const running = await start({}, { SMTP_LISTEN: `127.0.0.1:${await busyPort()}` });
    expect(running.warnings.join()).toMatch(/No mail is taken: .* is in use by another program/);
    expect(running.describe).toEqual([expect.stringContaining('closed')]);
  });
});

describe('the mail domain', () => {
  it('leads to the default organisation', async () => {
    await start({ SMTP_LISTEN: 'off', MAIL_DOMAIN: 'Mail.Example.com' });
    expect(await findInstallation(core.database, { kind: 'mail', externalId: 'mail.example.com' })).toBe('default');
  });

  it('stays with another organisation that has it', async () => {
    await core.database.query(`insert into organisation (id, name) values ('other', 'Other')`);
    await addInstallation(core.database, 'other', { kind: 'mail', externalId: 'mail.example.com' });
    await start({ SMTP_LISTEN: 'off', MAIL_DOMAIN: 'mail.example.com' });
    expect(await findInstallation(core.database, { kind: 'mail', externalId: 'mail.example.com' })).toBe('other');
  });
});

describe('the settings', () => {
  const read = (environment: Record<string, string>) =>
    readSettings(email.settings, { environment, dotenv: {} }, async () => new Map());

  it.each([
    ['SMTP_LISTEN', 'everywhere', /address and a port/],
    ['SMTP_LISTEN', '127.0.0.1:99999', /address and a port/],
    ['MAIL_DOMAIN', 'assistant@example.com', /what stands behind the @/],
    ['SMTP_URL', 'mail.example.com:hunter2', /SMTP_URL is malformed .*smtp:\/\//],
    ['MAIL_TRUSTED_RELAYS', '10.0.0.0/8,mx.example.com', /addresses or ranges/],
  ])('refuse %s=%s and say what is valid', async (key, value, why) => {
    await expect(read({ [key]: value })).rejects.toThrow(why);
    await expect(read({ [key]: value })).rejects.not.toThrow(/hunter2/);
  });

  it('have defaults that let a newcomer begin', async () => {
    expect((await read({})).values).toEqual({
      MAIL_DOMAIN: 'localhost',
      SMTP_LISTEN: '127.0.0.1:2525',
      SMTP_URL: undefined,
      MAIL_TRUSTED_RELAYS: [],
    });
  });
});

import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as testAnywhere } from 'vitest';
import { findDatabaseProcesses, findDescendants, isRunning } from './process-tree.ts';
import { type Core, type CoreOptions, makeDataDirectory, startCore } from './processes.ts';
import { alwaysAnswer } from './stand-ins/model-scripts.ts';
import { type ModelServerOptions, startModelServer } from './stand-ins/model-server.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const ms = 60_000;
let dataDirectory: string;
let cores: Core[];

beforeEach(async () => {
  cores = [];
  dataDirectory = await makeDataDirectory();
});

afterEach(async () => {
  for (const core of cores) await core.killEverything();
  await rm(dataDirectory, { recursive: true });
});

async function start(options: Partial<CoreOptions> = {}): Promise<Core> {
  const core = await startCore({ dataDirectory, ...options });
  cores.push(core);
  return core;
}

/** The sentence of a start that ended with code 1, printed nothing else and left nothing running. */
async function refusalOf(core: Core): Promise<string> {
  const seen = new Set<number>();
  const looking = setInterval(() => {
    for (const pid of findDescendants(core.pid)) seen.add(pid);
  }, 20);
  expect(await core.exited).toEqual({ code: 1, signal: null });
  clearInterval(looking);
  expect([...seen].filter(isRunning)).toEqual([]);
  expect(findDatabaseProcesses(core.dataDirectory)).toEqual([]);
  expect(core.stdout()).toBe('');
  const lines = core.stderr().trimEnd().split('\n');
  expect(lines, core.stderr()).toHaveLength(1);
  expect(lines[0]).toMatch(/^switchboard: \S/);
  expect(lines[0]).not.toMatch(/\bat .*\.ts:\d+|node:internal|Error:/);
  return lines[0] ?? '';
}

test('a busy configured PORT', { timeout: ms }, async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    expect(await refusalOf(await start({ port }))).toContain(String(port));
  } finally {
    other.close();
  }
});

test('a busy configured SMTP_LISTEN', { timeout: ms }, async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const smtpPort = typeof address === 'object' && address ? address.port : 0;
  try {
    const refusal = await refusalOf(await start({ smtpPort }));
    expect(refusal).toContain('SMTP_LISTEN');
    expect(refusal).toContain(String(smtpPort));
  } finally {
    other.close();
  }
});

test('a wrong DATABASE_URL, without showing its password', { timeout: ms }, async () => {
  const env = { DATABASE_URL: 'postgres://ada:hunter2secret@127.0.0.1:9/desk', SECRET_KEY: 'k'.repeat(64) };
  const refusal = await refusalOf(await start({ env }));
  expect(refusal).toContain('DATABASE_URL');
  expect(refusal).toContain('127.0.0.1:9');
  expect(refusal).not.toContain('hunter2secret');
});

test('a DATABASE_URL without the SECRET_KEY that it needs', { timeout: ms }, async () => {
  const env = { DATABASE_URL: 'postgres://ada@127.0.0.1:9/desk' };
  expect(await refusalOf(await start({ env }))).toContain('SECRET_KEY');
});

test('a data directory that another live core uses, which goes on undisturbed', { timeout: ms }, async () => {
  const first = await start();
  await first.waitReady();
  const second = await start();
  expect(await second.exited).toEqual({ code: 1, signal: null });
  const lines = second.stderr().trimEnd().split('\n');
  expect(lines, second.stderr()).toHaveLength(1);
  expect(lines[0]).toContain(dataDirectory);
  expect(lines[0]).toContain(String(first.pid));
  await first.waitReady(0);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  expect(await first.stop()).toEqual({ code: 0, signal: null });
});

test('an unknown key in .env, naming the nearest one', { timeout: ms }, async () => {
  await mkdir(dataDirectory, { recursive: true });
  await writeFile(join(dataDirectory, '.env'), 'MAIL_DOMIAN=example.com\n');
  const refusal = await refusalOf(await start());
  expect(refusal).toContain('MAIL_DOMIAN');
  expect(refusal).toContain('MAIL_DOMAIN');
});

test.each([
  ['PORT', 'eighty'],
  ['MODEL', 'gpt'],
  ['SMTP_LISTEN', 'everywhere'],
  ['MAIL_TRUSTED_RELAYS', '10.0.0.0/99'],
])('a malformed setting: %s=%s', { timeout: ms }, async (key, value) => {
  const refusal = await refusalOf(await start({ env: { [key]: value } }));
  expect(refusal).toContain(key);
  expect(refusal).toContain(value);
});

async function startWithModel(options: Partial<ModelServerOptions>, env: CoreOptions['env'] = {}) {
  const model = await startModelServer({ script: alwaysAnswer('Yes.'), ...options });
  const core = await start({ env: { MODEL: 'openai-compatible/scripted', OPENAI_BASE_URL: model.url, ...env } });
  return { core, [Symbol.asyncDispose]: () => model.close() };
}

test('a model that its endpoint does not list, naming those it has', { timeout: ms }, async () => {
  await using at = await startWithModel({ models: ['small', 'large'] });
  const refusal = await refusalOf(at.core);
  expect(refusal).toContain('openai-compatible/scripted');
  expect(refusal).toContain('small, large');
});

test('an endpoint that refuses the key, without showing it', { timeout: ms }, async () => {
  await using at = await startWithModel({ key: 'right' }, { OPENAI_API_KEY: 'sk-wrong-one' });
  const refusal = await refusalOf(at.core);
  expect(refusal).toContain('OPENAI_API_KEY');
  expect(refusal).not.toContain('sk-wrong-one');
});

test('an endpoint that is not there', { timeout: ms }, async () => {
  const env = { MODEL: 'openai-compatible/scripted', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
  expect(await refusalOf(await start({ env }))).toContain('OPENAI_BASE_URL');
});

test('but an endpoint without a list of models is warned of, and it starts', { timeout: ms }, async () => {
  await using at = await startWithModel({ modelList: 'missing' });
  await at.core.waitReady();
  await expect.poll(at.core.stdout).toMatch(/Note: .*has no list of models/);
});

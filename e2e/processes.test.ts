import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it as itAnywhere, vi } from 'vitest';
import { findDatabaseProcesses, findDescendants, isRunning } from './process-tree.ts';
import { type Core, type CoreOptions, makeDataDirectory, startCore } from './processes.ts';

// Elsewhere there is no /proc to see processes by.
const it = itAnywhere.skipIf(process.platform !== 'linux');
const program = [join(import.meta.dirname, 'stand-ins', 'database-only-core.ts')];
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

async function start(env: CoreOptions['env'] = {}): Promise<Core> {
  const core = await startCore({ dataDirectory, env, program });
  cores.push(core);
  return core;
}

it('starts on free ports, is measured, and stops with nothing left', async () => {
  const core = await start();
  await core.waitReady();
  expect((await fetch(`${core.url}/readyz`)).status).toBe(200);
  expect(core.smtpPort).not.toBe(core.port);
  expect(core.rss()).toBeGreaterThan(20 * 1024 * 1024);
  expect(core.fileDescriptors()).toBeGreaterThan(5);
  const everything = findDescendants(core.pid);
  expect(everything).toEqual(expect.arrayContaining(findDatabaseProcesses(dataDirectory)));
  expect(everything.length).toBeGreaterThan(3);
  expect(await core.stop()).toEqual({ code: 0, signal: null });
  expect([core.pid, ...everything].filter(isRunning)).toEqual([]);
});

it('kills the core alone and leaves its database to the next one', async () => {
  const first = await start();
  await first.waitReady();
  const [postmaster] = findDescendants(first.pid);
  expect(first.kill('SIGKILL')).toBe(true);
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(first.kill('SIGKILL')).toBe(false);
  expect(findDatabaseProcesses(dataDirectory)).toContain(postmaster);
  const second = await start();
  await second.waitReady();
  expect(findDatabaseProcesses(dataDirectory)).toContain(postmaster);
});

it('kills everything, an orphaned database too, and the next start works', async () => {
  const first = await start();
  await first.waitReady();
  await first.killEverything();
  expect(findDatabaseProcesses(dataDirectory)).toEqual([]);

  const second = await start();
  await second.waitReady();
  second.kill('SIGKILL');
  await second.exited;
  expect(findDatabaseProcesses(dataDirectory).length).toBeGreaterThan(3);
  await second.killEverything();
  expect(findDatabaseProcesses(dataDirectory)).toEqual([]);
});

it('kills nobody who merely stands in the directory', async () => {
  const core = await start();
  await core.waitReady();
  const bystander = spawn('sleep', ['60'], { cwd: join(dataDirectory, 'postgresql'), stdio: 'ignore' });
  try {
    await core.killEverything();
    expect(isRunning(bystander.pid ?? 0)).toBe(true);
  } finally {
    bystander.kill('SIGKILL');
  }
});

it('says what the core printed when it ends instead of getting ready', async () => {
  const core = await start({ FAIL: 'unknown setting' });
  await expect(core.waitReady()).rejects.toThrow('ended before it was ready:\nunknown setting');
  expect(await core.exited).toEqual({ code: 1, signal: null });
});

it('says so when stopping or getting ready takes too long', async () => {
  const core = await start({ DRAIN_MS: '5000' });
  await expect(core.waitReady(0)).rejects.toThrow('not ready within 0 ms');
  await core.waitReady();
  await expect(core.stop(50)).rejects.toThrow('did not end within 50 ms of SIGTERM');
});

it('shows the core no setting of the person who runs the tests', async () => {
  vi.stubEnv('MODEL', 'openai/expensive');
  const core = await start({ MAIL_DOMAIN: 'example.com', PUBLIC_URL: undefined });
  vi.unstubAllEnvs();
  await core.waitReady();
  const seen = core
    .output()
    .match(/sees (.*)/)?.[1]
    ?.split(' ');
  expect(seen).toEqual(expect.arrayContaining(['DATA_DIR', 'MAIL_DOMAIN', 'PORT', 'SMTP_LISTEN']));
  expect(seen).not.toContain('MODEL');
  expect(seen).not.toContain('PUBLIC_URL');
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openInAnotherProcess } from '../testing/embedded-process.ts';
import { type TemporaryDataDirectory, temporaryDataDirectory } from '../testing/temporary-data-directory.ts';
import { connectOrStart } from './connect-or-start.ts';
import { startEmbeddedServer } from './embedded-server.ts';
import { isAlive } from './process-identity.ts';

const log = { info() {}, warn() {}, error() {} };

// one for all, since initialising takes most of a second; a test that is about that has its own
let directory: TemporaryDataDirectory;
beforeAll(async () => {
  directory = await temporaryDataDirectory();
});
afterEach(() => directory.killServer());
afterAll(() => directory[Symbol.asyncDispose]());

test('a command with no core starts the server and stops it again', async () => {
  await using directory = await temporaryDataDirectory();
  const server = await connectOrStart({ dataDirectory: directory.path, log });
  expect(server.started).toBe(true);
  await server.stop();
  expect(await isAlive(server.pid)).toBe(false);
});

test('a command beside a core uses its server and leaves it running', async () => {
  await using core = await openInAnotherProcess(directory.path);
  const server = await connectOrStart({ dataDirectory: directory.path, log });
  expect(server).toMatchObject({ started: false, url: core.server?.url });
  await server.stop();
  expect(await isAlive(server.pid)).toBe(true);
});

test('a command leaves the orphan of a killed core as it found it', async () => {
  await (await openInAnotherProcess(directory.path)).kill();
  const server = await connectOrStart({ dataDirectory: directory.path, log });
  expect(server.started).toBe(false);
  await server.stop();
  expect(await isAlive(server.pid)).toBe(true);
});

test('a core waits for a command to end, and takes its server over', async () => {
  const command = await openInAnotherProcess(directory.path, { holder: 'cli' });
  const opening = startEmbeddedServer({ dataDirectory: directory.path, log });
  await sleep(300);
  await command.stop();
  const core = await opening;
  expect(core).toMatchObject({ started: false, pid: command.server?.pid });
  await core.stop();
  expect(await isAlive(core.pid)).toBe(false);
});

test('the last of several commands stops the server that the first one started', async () => {
  const first = await openInAnotherProcess(directory.path, { holder: 'cli' });
  const opening = connectOrStart({ dataDirectory: directory.path, log });
  await sleep(300);
  await first.stop();
  const second = await opening;
  expect(second.pid).toBe(first.server?.pid);
  await second.stop();
  expect(await isAlive(second.pid)).toBe(false);
});

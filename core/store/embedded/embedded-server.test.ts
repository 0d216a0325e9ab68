import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openInAnotherProcess } from '../testing/embedded-process.ts';
import { type TemporaryDataDirectory, temporaryDataDirectory } from '../testing/temporary-data-directory.ts';
import { clusterDirectoryOf } from './cluster-files.ts';
import { type EmbeddedServer, startEmbeddedServer } from './embedded-server.ts';
import { findServerProcesses } from './find-postmaster.ts';
import { isAlive } from './process-identity.ts';

const quiet = { info() {}, warn() {}, error() {} };

function start(dataDirectory: string): Promise<EmbeddedServer> {
  return startEmbeddedServer({ dataDirectory, log: quiet });
}

async function query(url: string, statement: string) {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Repeats until it succeeds, for 10 s. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

// one for all, since initialising takes most of a second; a test that is about that has its own
let directory: TemporaryDataDirectory;
beforeAll(async () => {
  directory = await temporaryDataDirectory();
});
afterEach(() => directory.killServer());
afterAll(() => directory[Symbol.asyncDispose]());

test('the first start makes a database that only its password opens, and the second finds what the first left', async () => {
  await using directory = await temporaryDataDirectory();
  await using first = await start(directory.path);
  expect(first.started).toBe(true);
  await query(first.url, 'create table if not exists kept (word text)');
  await expect(query(first.url.replace(/:[^:@]*@/, ':wrong@'), 'select 1')).rejects.toThrow('password');
  expect((await stat(join(directory.path, 'postgresql.json'))).mode & 0o777).toBe(0o600);
  expect(await query(first.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
  await first.stop();
  expect(await findServerProcesses(clusterDirectoryOf(directory.path))).toEqual([]);

  await using second = await start(directory.path);
  expect(second).toMatchObject({ started: true, url: first.url });
  expect(await query(second.url, 'select * from kept')).toEqual([]);
});

test('the server listens on 127.0.0.1 and nowhere else', async () => {
  await using server = await start(directory.path);
  expect(
    await query(server.url, `select name, setting from pg_settings where name ~ '^(listen_add|unix_socket_dir)'`),
  ).toEqual([
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'unix_socket_directories', setting: '' },
  ]);
});

test('the server does not run as root, and no folder is opened for the account that it does run as', async () => {
  await using server = await start(directory.path);
  const processUid = (await stat(`/proc/${server.pid}`)).uid;
  expect(processUid).not.toBe(0);
  expect(processUid).toBe((await stat(clusterDirectoryOf(directory.path))).uid);
  expect(await stat(directory.path)).toMatchObject({ uid: process.getuid?.(), mode: 0o40700 });
});

test('a data directory may have a long path with any letters in it', async () => {
  await using parent = await temporaryDataDirectory();
  const path = join(parent.path, ...Array(12).fill("it's a “Ordner” %d $x"), 'data');
  expect(path.length).toBeGreaterThan(200);
  await using server = await start(path);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a copied data directory works although the copy has other modes and owners', { timeout: 60_000 }, async () => {
  await using original = await temporaryDataDirectory();
  const first = await start(original.path);
  await first.stop();
  await using copy = await temporaryDataDirectory();
  await cp(original.path, copy.path, { recursive: true });
  await chmod(clusterDirectoryOf(copy.path), 0o755);
  await using server = await start(copy.path);
  await using other = await start(original.path);
  expect(server.started && other.started).toBe(true);
});

test('an initialisation that was killed in the middle is begun again', async () => {
  await using directory = await temporaryDataDirectory();
  const draft = join(directory.path, 'postgresql.new-abcdef', 'cluster');
  await mkdir(draft, { recursive: true });
  await writeFile(join(draft, 'PG_VERSION'), '18\n');
  await using server = await start(directory.path);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect((await readdir(directory.path)).filter((name) => name.includes('new'))).toEqual([]);
});

test('a server whose core was killed is adopted by the next core, which also stops it', async () => {
  const killed = await openInAnotherProcess(directory.path);
  await killed.kill();
  await using next = await start(directory.path);
  expect(next).toMatchObject({ started: false, pid: killed.server?.pid, url: killed.server?.url });
  await next.stop();
  expect(await isAlive(next.pid)).toBe(false);
});

test('after a SIGKILL of everything the next start recovers what was committed', async () => {
  const killed = await openInAnotherProcess(directory.path);
  const url = killed.server?.url ?? '';
  await query(url, 'create table if not exists kept (word text)');
  await query(url, `insert into kept values ('this')`);
  await directory.killServer();
  await killed.kill();
  await using next = await start(directory.path);
  expect(next).toMatchObject({ started: true, url });
  expect(await query(next.url, 'select * from kept')).toEqual([{ word: 'this' }]);
});

test('a child of a killed server that is deep in a computation does not stop the next start', async () => {
  const killed = await openInAnotherProcess(directory.path);
  const endless = query(killed.server?.url ?? '', `select sum(i) from generate_series(1, 1e12) i`);
  endless.catch(() => {});
  await sleep(200);
  await killed.kill();
  process.kill(killed.server?.pid ?? 0, 'SIGKILL');
  await using next = await start(directory.path);
  expect(next.started).toBe(true);
  await expect(endless).rejects.toThrow();
});

test('a postmaster.pid whose process id belongs to somebody else by now does not stop the next start', async () => {
  await (await start(directory.path)).stop();
  const file = join(clusterDirectoryOf(directory.path), 'postmaster.pid');
  await writeFile(file, `${process.pid}\n/proc/self/cwd\n1\n5432\n\n127.0.0.1\n\nready   \n`);
  await using next = await start(directory.path);
  expect(next.started).toBe(true);
  expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^${next.pid}\n`));
});

test('a second core is refused in one sentence that names the first', async () => {
  await using server = await start(directory.path);
  const second = await openInAnotherProcess(directory.path);
  expect(second.refused).toBe(
    `data directory ${directory.path} is in use by another running switchboard (pid ${process.pid}): ` +
      'stop that one, or set DATA_DIR to another folder.',
  );
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('of two cores that start at the same moment one gets the data directory', async () => {
  const both = await Promise.all([openInAnotherProcess(directory.path), openInAnotherProcess(directory.path)]);
  await using one = both[0];
  await using other = both[1];
  expect([one.server, other.server].filter(Boolean)).toHaveLength(1);
  expect(one.refused + other.refused).toContain('is in use by another running switchboard');
});

test('a server that is killed comes back by itself under the same address, its data directory still ours', async () => {
  await using server = await start(directory.path);
  const { pid } = server;
  process.kill(pid, 'SIGKILL');
  await eventually(() => query(server.url, 'select 1'));
  await eventually(async () => expect(server.pid).not.toBe(pid));
  expect((await openInAnotherProcess(directory.path)).refused).toContain('in use');
});

test('a core that loses its data directory to another is told so, and leaves the server alone', async () => {
  const frozen = await openInAnotherProcess(directory.path);
  frozen.signal('SIGSTOP');
  await directory.killServer();
  await using heir = await start(directory.path);
  expect(heir.started).toBe(true);
  frozen.signal('SIGCONT');
  await frozen.stop();
  expect(await query(heir.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a lost password file is replaced, and the data stays', async () => {
  await using first = await start(directory.path);
  await query(first.url, 'create table kept_without_password ()');
  await first.stop();
  await rm(join(directory.path, 'postgresql.json'));
  await using second = await start(directory.path);
  expect(second.url).not.toBe(first.url);
  expect(await query(second.url, 'select * from kept_without_password')).toEqual([]);
});

test('a port that somebody else took meanwhile is exchanged', async () => {
  await using first = await start(directory.path);
  await first.stop();
  await using thief = await temporaryDataDirectory();
  const json = await readFile(join(directory.path, 'postgresql.json'), 'utf8');
  await writeFile(join(thief.path, 'postgresql.json'), json);
  await using _ = await start(thief.path);
  await using second = await start(directory.path);
  expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
});

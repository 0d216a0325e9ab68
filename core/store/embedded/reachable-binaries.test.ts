import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reachableBinaries } from './reachable-binaries.ts';
import { chooseServerAccount } from './server-account.ts';
import { findServerBinaries, type ServerBinaries } from './server-binaries.ts';

const log = { info() {}, warn() {}, error() {} };
const isRoot = process.getuid?.() === 0;

let folder: string;
let hidden: ServerBinaries;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-binaries-'));
  await chmod(folder, 0o755);
  const found = await findServerBinaries();
  await mkdir(join(folder, 'roots-only'), { mode: 0o700 });
  const directory = join(folder, 'roots-only', 'native');
  await symlink(found.directory, directory);
  hidden = { ...found, directory, initdb: join(directory, 'bin/initdb'), postgres: join(directory, 'bin/postgres') };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('an ordinary user runs the binaries where they are', async () => {
  expect(await reachableBinaries(hidden, undefined, log, [])).toBe(hidden);
});

test.runIf(isRoot)(
  'binaries in a folder that only root may enter are copied once, into a folder of root alone',
  async () => {
    const account = await chooseServerAccount(join(folder, 'none'));
    const strangers = join(folder, 'strangers');
    await mkdir(strangers);
    await chown(strangers, 65534, 65534);
    const places = [strangers, join(folder, 'copies')];

    const first = await reachableBinaries(hidden, account, log, places);
    expect(first.directory).toBe(join(folder, 'copies', `postgresql-${hidden.version}`));
    expect(await stat(first.postgres)).toMatchObject({ uid: 0, mode: 0o100755 });
    const made = (await stat(first.directory)).ino;
    expect(await reachableBinaries(hidden, account, log, places)).toEqual(first);
    expect((await stat(first.directory)).ino).toBe(made);
    expect((await stat(join(folder, 'roots-only'))).mode & 0o777).toBe(0o700);

    await rm(join(first.directory, 'lib'), { recursive: true });
    await reachableBinaries(hidden, account, log, places);
    expect((await stat(first.directory)).ino).not.toBe(made);
  },
);

test.runIf(isRoot)('binaries that can be run from nowhere are refused with what to do', async () => {
  const account = await chooseServerAccount(join(folder, 'none'));
  await expect(reachableBinaries(hidden, account, log, [])).rejects.toThrow(
    'move the installation out of folders that only root may enter, start switchboard as an ordinary user, or set DATABASE_URL',
  );
});

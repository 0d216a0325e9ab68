import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withStartLock } from './start-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('ten that ask at once go one after the other, and nothing is left', async () => {
  let inside = 0;
  let most = 0;
  const visit = async () => {
    most = Math.max(most, ++inside);
    await sleep(2);
    inside--;
  };
  await Promise.all(Array.from({ length: 10 }, () => withStartLock(folder, visit)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ['of a process that is gone', '999999999 1'],
  ['of a process id that belongs to another process by now', `${process.pid} 1`],
])('a lock %s is taken over, by one at a time', async (_, content) => {
  await writeFile(join(folder, 'postgresql.lock'), content);
  let inside = 0;
  const visit = async () => {
    expect(++inside).toBe(1);
    await sleep(2);
    inside--;
  };
  await Promise.all(Array.from({ length: 10 }, () => withStartLock(folder, visit)));
});

test('a lock whose holder was killed before it wrote its name is taken over', async () => {
  const file = join(folder, 'postgresql.lock');
  await writeFile(file, '');
  await utimes(file, new Date(0), new Date(0));
  expect(await withStartLock(folder, async () => 'in')).toBe('in');
});

test('the lock is given back when the work fails', async () => {
  await expect(withStartLock(folder, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await readdir(folder)).toEqual([]);
});

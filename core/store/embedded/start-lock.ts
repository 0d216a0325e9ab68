import { mkdir, readFile, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '../../errors.ts';
import { isAlive, processBirth } from './process-identity.ts';

const patience = 60_000;

/**
 * Runs `work` while no other process of this machine starts, adopts or stops the server of the same data directory. Held for as
 * long as that takes only; whose data directory it is, is the question of data-directory-lock.ts. A lock whose holder was killed
 * is taken over.
 *
 * @throws ConfigurationError after a minute of waiting
 */
export async function withStartLock<T>(dataDirectory: string, work: () => Promise<T>): Promise<T> {
  const file = join(dataDirectory, 'postgresql.lock');
  const deadline = Date.now() + patience;
  const content = `${process.pid} ${await processBirth(process.pid)}`;
  while (!(await create(file, content))) {
    if (await isStale(file)) await removeStale(file);
    else if (Date.now() > deadline) throw stuck(file);
    else await sleep(25);
  }
  try {
    return await work();
  } finally {
    await unlink(file).catch(() => {});
  }
}

async function create(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** An empty file is one that its holder is about to fill, unless it was killed just then. */
async function isStale(file: string): Promise<boolean> {
  const [content, info] = await Promise.all([
    readFile(file, 'utf8').catch(() => undefined),
    stat(file).catch(() => undefined),
  ]);
  if (content === undefined || !info) return false;
  if (content === '') return Date.now() - info.mtimeMs > 2000;
  const [pid = '', birth = ''] = content.split(' ');
  return !(await isAlive(Number(pid))) || (await processBirth(Number(pid))) !== birth;
}

/** Looks again under a lock of its own: else two could find the same stale file, and the second remove the first one's new one. */
async function removeStale(file: string): Promise<void> {
  const breaking = `${file}.breaking`;
  try {
    await mkdir(breaking);
  } catch {
    const age = Date.now() - ((await stat(breaking).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > 10_000) await rmdir(breaking).catch(() => {});
    return void (await sleep(25));
  }
  try {
    if (await isStale(file)) await unlink(file);
  } finally {
    await rmdir(breaking).catch(() => {});
  }
}

function stuck(file: string): ConfigurationError {
  return new ConfigurationError(
    `another switchboard has been starting or stopping the embedded database for a minute (${file}): ` +
      'wait for it or end it, then try again.',
    'data_directory_in_use',
  );
}

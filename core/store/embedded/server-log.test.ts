import { writeSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boundServerLog, openServerLog, serverLogFile } from './server-log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a full log is moved aside, and a server that has it open writes on at the start of the emptied file', async () => {
  const log = await openServerLog(folder);

  writeSync(log.fd, 'old\n');
  await truncate(serverLogFile(folder), 9 * 1024 * 1024);
  await boundServerLog(folder);
  writeSync(log.fd, 'new\n');
  await log.close();
  expect((await stat(serverLogFile(folder))).size).toBe(4);
  expect(await readdir(folder)).toEqual(['postgresql.log', 'postgresql.log.1']);
});

test('what was written since the log was opened can be read back', async () => {
  await writeFile(serverLogFile(folder), 'before\n');
  const log = await openServerLog(folder);
  await writeFile(serverLogFile(folder), 'FATAL: it\n', { flag: 'a' });
  expect(await log.written()).toBe('FATAL: it\n');
  await log.close();
});

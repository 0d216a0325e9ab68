import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEmbeddedServer } from './embedded-server.ts';
import { explainServerFailure } from './explain-failure.ts';

const log = { info() {}, warn() {}, error() {} };

test('a data directory that is a file is refused in one sentence', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-refused-'));
  const file = join(folder, 'data');
  await writeFile(file, '');
  await expect(startEmbeddedServer({ dataDirectory: file, log })).rejects.toThrow(
    `data directory ${file} cannot be used (EEXIST): give it, with all that is in it, to the account that runs switchboard, ` +
      'or set DATA_DIR to a folder that it may write to.',
  );
  await rm(folder, { recursive: true });
});

test.each([
  [
    'initdb: error: could not write to file: No space left on device',
    'the disk that holds /d is full: free some space',
  ],
  ['FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes', 'the disk that holds /d is full'],
  ['FATAL:  data directory "/proc/self/cwd" has wrong ownership', 'give it, with all that is in it, to the account'],
  [
    'FATAL:  database files are incompatible with server',
    'was made by another version of PostgreSQL: restore a backup',
  ],
  [
    '2026-01-01 LOG:  fine\n2026-01-01 FATAL:  out of semaphores',
    'does not start (out of semaphores): see postgresql.log',
  ],
  ['', 'does not start (it said nothing)'],
])('what PostgreSQL said becomes advice: %s', (output, sentence) => {
  expect(explainServerFailure('/d', output).message).toContain(sentence);
});

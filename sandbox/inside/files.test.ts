import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPart, writeWhole } from './files.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'));
  await writeFile(join(home, 'file'), 'x');
  await symlink('circle', join(home, 'circle'));
});
afterAll(() => rm(home, { recursive: true }));

it.each([
  ['nothing', 'nothing: there is no such file: look what there is with ls'],
  ['file/below', 'file/below: a part of the path is a file, not a folder'],
  ['circle', 'circle: its symbolic links lead in a circle'],
  ['a\0b', 'a␀b: no path holds a NUL character'],
])('says what to do when %j cannot be read, and nothing of this machine', async (path, words) => {
  const refused = await readPart(home, path, 0, 10).catch((error: Error) => error.message);
  expect(refused).toContain(words);
  expect(refused).not.toContain(home);
  expect(refused).not.toMatch(/E[A-Z]{4,}/);
});

it.each([
  ['.', 'it is a folder: name a file in it'],
  ['file/below/it', 'a part of the path is a file, not a folder'],
  ['x'.repeat(300), 'the path is too long'],
  ['/dev/null', 'is no plain file'],
  ['/proc/1/new', 'there is no such file'],
])('says what to do when %j cannot be written', async (path, words) => {
  await expect(writeWhole(home, path, Buffer.from('x'))).rejects.toThrow(words);
});

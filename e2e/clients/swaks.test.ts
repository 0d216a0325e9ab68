import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hasSwaks, runSwaks } from './swaks.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-swaks-'));
});

afterEach(() => rm(folder, { recursive: true }));

it('says how to install swaks where there is none', async () => {
  const env = { PATH: folder };
  expect(await hasSwaks(env)).toBe(false);
  await expect(runSwaks(['--to', 'a@localhost'], env)).rejects.toThrow('run: apt-get install --yes swaks');
});

it('hands the arguments over as they are, and back what was printed and the exit code', async () => {
  await writeFile(join(folder, 'swaks'), '#!/bin/sh\nfor a; do echo "[$a]"; done; echo late >&2; exit 26\n', {
    mode: 0o755,
  });
  const result = await runSwaks(['--body', 'a b; c'], { PATH: `${folder}:/bin:/usr/bin` });
  expect(result).toEqual({ exitCode: 26, output: '[--body]\n[a b; c]\nlate\n' });
});

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { buildViewer } from './build.ts';

async function files(): Promise<Map<string, string>> {
  const folder = await buildViewer();
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.includes('.'));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}

it('makes its pages in no more than 30 KB, compressed', async () => {
  const built = await files();
  expect([...built.keys()]).toEqual(expect.arrayContaining(['index.html', 'wall.html', 'file.html']));
  const bytes = [...built.values()].reduce((sum, content) => sum + gzipSync(content, { level: 9 }).byteLength, 0);
  expect(bytes).toBeLessThanOrEqual(30 * 1024);
});

it('needs nothing that a strict Content-Security-Policy forbids, and nothing from elsewhere', async () => {
  for (const [name, content] of await files()) {
    if (!name.endsWith('.html')) {
      expect(content, name).not.toMatch(/\beval\(|new Function\(/);
      continue;
    }
    expect(content, name).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    const addresses = [...content.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    const prefix = name === 'wall.html' ? 'viewer/assets/' : '../viewer/assets/';
    expect(addresses.filter((address) => !address?.startsWith(prefix))).toEqual([]);
  }
});

it('gives the same folder to any number of processes that build at once', async () => {
  const output = await mkdtemp(join(tmpdir(), 'switchboard-viewer-'));
  try {
    const ask = () => promisify(execFile)(process.execPath, [join(import.meta.dirname, 'build.ts'), output]);
    const answers = await Promise.all([ask(), ask(), ask()]);
    const [folder, ...more] = await readdir(output);
    expect(more).toEqual([]);
    const built = join(output, String(folder));
    expect(answers.map(({ stdout }) => stdout.trim())).toEqual([built, built, built]);
    expect(await readdir(built)).toEqual(expect.arrayContaining(['assets', 'index.html', 'wall.html']));
  } finally {
    await rm(output, { recursive: true, force: true });
  }
});

it('says what to do where it may not write', async () => {
  await expect(buildViewer(join(import.meta.filename, 'below-a-file'))).rejects.toThrow(
    /node stream-viewer\/build\.ts/,
  );
});

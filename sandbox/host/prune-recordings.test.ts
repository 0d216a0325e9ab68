import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pruneRecordings } from './prune-recordings.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recordings-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function recorded(name: string, bytes: number, daysAgo: number): Promise<void> {
  await writeFile(join(folder, name), Buffer.alloc(bytes));
  const at = new Date(Date.now() - daysAgo * 86_400_000);
  await utimes(join(folder, name), at, at);
}

describe('the recordings of a host', () => {
  it('go when they are too old, and then the oldest until the rest is small enough', async () => {
    await recorded('a-1.mp4', 10, 8);
    await recorded('a-2.mp4', 50, 3);
    await recorded('a-3.mp4', 60, 2);
    await recorded('a-4.mp4', 40, 1);
    expect(await pruneRecordings(folder, { days: 7, bytes: 100 })).toBe(2);
    expect((await readdir(folder)).sort()).toEqual(['a-3.mp4', 'a-4.mp4']);
  });

  it('stay while they are being written, however little room there is', async () => {
    await recorded('a-1.mp4', 10, 0);
    expect(await pruneRecordings(folder, { days: 0, bytes: 0 })).toBe(0);
  });
});

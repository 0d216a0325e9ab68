import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadNodeAv, type NodeAv } from '../../encode/node-av.ts';
import { openVideoEncoder } from '../../encode/video-encoder.ts';
import type { LivePicture } from '../live-video.ts';
import { createRecorder } from './recorder.ts';

const av = await loadNodeAv();
const mayMount = canMount();
const size = { width: 320, height: 240 };

/** Noise, so that each picture has some bytes: keyframes of one encoder. */
async function keyframes(lib: NodeAv, count: number): Promise<LivePicture[]> {
  const encoder = await openVideoEncoder(lib, {
    name: 'libx264',
    size,
    fps: 30,
    bitrate: 8_000_000,
    effort: 'ultrafast',
    threads: 1,
  });
  const pictures: LivePicture[] = [];
  const pixels = Buffer.alloc(size.width * size.height * 4);
  for (let n = 0; n < count; n++) {
    for (let at = 0; at < pixels.length; at++) pixels[at] = Math.random() * 256;
    const bands = [{ top: 0, height: size.height }];
    const units = await encoder.encode(pixels, bands, { ptsMicroseconds: BigInt(1 + n * 33_000), key: true });
    for (const unit of units) pictures.push({ ...unit, ...size, sequence: n, encoder: 'libx264' });
  }
  encoder.close();
  return pictures;
}

describe.skipIf(!av)('a recorder', () => {
  let lib: NodeAv;
  let folder: string;

  beforeAll(async () => {
    if (!av) throw new Error('node-av is missing');
    lib = av;
    folder = await mkdtemp(join(tmpdir(), 'recorder-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('says that a file cannot be made, and records the next activation all the same', async () => {
    const pictures = await keyframes(lib, 3);
    const failed: unknown[] = [];
    const missing = join(folder, 'file', 'below');
    const recorder = createRecorder(lib, missing, (error) => failed.push(error));
    await writeFile(join(folder, 'file'), '');
    recorder.record('a-1');
    for (const picture of pictures) recorder.add(picture);
    await expect.poll(() => failed).toHaveLength(1);
    expect(failed).toMatchObject([{ code: 'ENOTDIR' }]);
    expect(recorder.isRecording).toBe(false);
    await rm(join(folder, 'file'));
    recorder.record('a-2');
    for (const picture of pictures) recorder.add(picture);
    await recorder.close();
    expect(await readdir(missing)).toEqual(['a-2.mp4']);
    expect(failed).toHaveLength(1);
  });

  it.skipIf(!mayMount)('says that the disk is full, once, and does not go on as if it recorded', async () => {
    const full = join(folder, 'full');
    await mkdir(full);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', full]);
    try {
      const failed: unknown[] = [];
      const recorder = createRecorder(lib, full, (error) => failed.push(error));
      recorder.record('a-1');
      for (const picture of await keyframes(lib, 12)) {
        recorder.add(picture);
        await sleep(10);
      }
      await expect.poll(() => failed).toHaveLength(1);
      expect(failed).toMatchObject([{ code: 'ENOSPC' }]);
      expect(recorder.isRecording).toBe(false);
      await recorder.close();
      expect(failed).toHaveLength(1);
    } finally {
      execFileSync('umount', [full]);
    }
  });
});

/** Whether this process may make a file system that is full soon. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'test', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

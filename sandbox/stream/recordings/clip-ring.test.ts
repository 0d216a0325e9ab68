import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadNodeAv, type NodeAv } from '../../encode/node-av.ts';
import { openVideoEncoder } from '../../encode/video-encoder.ts';
import type { LivePicture } from '../live-video.ts';
import { createClipRing } from './clip-ring.ts';

const av = await loadNodeAv();
const size = { width: 64, height: 64 };
const microseconds = 1_000_000;

describe.skipIf(!av)('the last pictures of a screen', () => {
  let lib: NodeAv;
  let folder: string;
  beforeAll(async () => {
    if (!av) throw new Error('node-av is missing');
    lib = av;
    folder = await mkdtemp(join(tmpdir(), 'clip-ring-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Pictures at these seconds; the first of each row is a keyframe. */
  async function pictures(...rows: number[][]): Promise<LivePicture[]> {
    const encoder = await openVideoEncoder(lib, {
      ...{ name: 'libx264', size, fps: 30, bitrate: 1_000_000, effort: 'ultrafast', threads: 1 },
    });
    const bands = [{ top: 0, height: size.height }];
    const made: LivePicture[] = [];
    for (const row of rows)
      for (const [n, second] of row.entries()) {
        const pixels = Buffer.alloc(size.width * size.height * 4, made.length * 40);
        const at = { ptsMicroseconds: BigInt(second * microseconds), key: n === 0 };
        for (const unit of await encoder.encode(pixels, bands, at))
          made.push({ ...unit, ...size, sequence: made.length, encoder: 'libx264' });
      }
    encoder.close();
    return made;
  }

  /** When each picture of a clip is shown, in seconds from its beginning, and when it ends. */
  async function timesOf(clip: Buffer): Promise<number[]> {
    const file = join(folder, 'clip.mp4');
    await writeFile(file, clip);
    const input = new lib.FormatContext();
    input.allocContext();
    lib.FFmpegError.throwIfError(await input.openInput(file), 'open');
    await input.findStreamInfo();
    const { num, den } = input.streams[0]?.timeBase ?? { num: 0, den: 1 };
    const seconds = (ticks: bigint) => Math.round(((Number(ticks) * num) / den) * 10) / 10;
    using packet = new lib.Packet();
    packet.alloc();
    const times: number[] = [];
    let end = 0;
    while ((await input.readFrame(packet)) >= 0) {
      times.push(seconds(packet.pts));
      end = seconds(packet.pts + packet.duration);
      packet.unref();
    }
    await input.closeInput();
    return [...times, end];
  }

  it('are those of the seconds that were asked for, up to now; what leads up to them is a flash', async () => {
    const ring = createClipRing(lib, () => 20 * microseconds);
    for (const picture of await pictures([1, 2, 3, 16, 18])) ring.add(picture);
    expect(await timesOf(await ring.clip(5))).toEqual([0, 0, 0, 1, 3, 5]);
  });

  it('do not reach back over what nobody has looked at', async () => {
    const ring = createClipRing(lib, () => 55 * microseconds);
    const [first, second, third, fourth] = await pictures([1, 2], [50, 52]);
    for (const picture of [first, second]) if (picture) ring.add(picture);
    ring.missed();
    for (const picture of [third, fourth]) if (picture) ring.add(picture);
    expect(await timesOf(await ring.clip(30))).toEqual([0, 2, 5]);
  });

  it('end with the last when the screen has changed since, and stay until now when it has not', async () => {
    const ring = createClipRing(lib, () => 30 * microseconds);
    for (const picture of await pictures([1, 4, 6])) ring.add(picture);
    expect(await timesOf(await ring.clip(10))).toEqual([0, 0, 0, 10]);
    ring.missed();
    expect(await timesOf(await ring.clip(3))).toEqual([0, 1, 3, 3.1]);
  });
});

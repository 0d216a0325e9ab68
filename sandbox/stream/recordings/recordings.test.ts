import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadNodeAv, type NodeAv } from '../../encode/node-av.ts';
import { hasXvfb } from '../../testing/x-server.ts';
import { type StartedStreamer, startTestStreamer } from '../testing/started-streamer.ts';

const av = await loadNodeAv();

describe.skipIf(!hasXvfb || !av)('a streamer records', () => {
  let lib: NodeAv;
  let started: StartedStreamer;

  beforeAll(async () => {
    if (!av) throw new Error('node-av is missing');
    lib = av;
    started = await startTestStreamer({ width: 320, height: 240 });
  });

  afterAll(() => started[Symbol.asyncDispose]());

  /** Changes the screen so many times, 50 ms apart or more. */
  async function paint(times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      await started.painter.fill({ x: 0, y: (n * 8) % 200, width: 320, height: 30 }, (n * 0x30507) & 0xffffff);
      await sleep(50);
    }
  }

  /** Has it recorded under this name, and waits until that has begun. */
  async function record(activation: string): Promise<void> {
    started.streamer.record(activation);
    await fileIsThere(`${activation}.mp4`);
  }

  async function fileIsThere(name: string): Promise<void> {
    await expect.poll(() => readdir(started.recordings)).toContain(name);
  }

  /** What a player makes of it. */
  async function play(
    file: string,
  ): Promise<{ seconds: number; pictures: number; startsWithKey: boolean; width: number }> {
    const input = new lib.FormatContext();
    input.allocContext();
    lib.FFmpegError.throwIfError(await input.openInput(file), 'open');
    await input.findStreamInfo();
    using packet = new lib.Packet();
    packet.alloc();
    let pictures = 0;
    let startsWithKey = false;
    while ((await input.readFrame(packet)) >= 0) {
      if (pictures === 0) startsWithKey = packet.isKeyframe;
      pictures += 1;
      packet.unref();
    }
    const played = {
      seconds: Number(input.duration) / 1e6,
      pictures,
      startsWithKey,
      width: input.streams[0]?.codecpar.width ?? 0,
    };
    await input.closeInput();
    return played;
  }

  it('nothing before somebody watches or it is told to', async () => {
    await expect(started.streamer.clip(10)).rejects.toThrow(/nothing of this desktop was recorded/);
  });

  it('an activation, also when nobody watches', async () => {
    const from = performance.now();
    await record('a-1');
    await paint(40);
    started.streamer.record(null);
    // Its answer comes when it has done what it was told before.
    await started.streamer.still({ format: 'jpeg', quality: 70 });
    const seconds = (performance.now() - from) / 1000;
    const path = join(started.recordings, 'a-1.mp4');
    expect(await readdir(started.recordings)).toEqual(['a-1.mp4']);
    await expect.poll(async () => (await play(path)).seconds).toBeGreaterThan(1.5);
    await expect.poll(async () => (await play(path)).pictures).toBeGreaterThan(20);
    const played = await play(path);
    expect(played).toMatchObject({ startsWithKey: true, width: 320 });
    expect(played.seconds).toBeLessThan(seconds + 0.5);
  });

  it('each one in a file of its own, and in another when the screen has another size', async () => {
    await record('a-2');
    await paint(10);
    await started.streamer.resize(200, 100);
    await fileIsThere('a-2.2.mp4');
    await paint(10);
    await started.streamer.resize(320, 240);
    await record('a-3');
    await paint(10);
    started.streamer.record(null);
    await expect
      .poll(async () => (await readdir(started.recordings)).sort())
      .toEqual(expect.arrayContaining(['a-1.mp4', 'a-2.2.mp4', 'a-2.mp4', 'a-3.mp4']));
    await expect.poll(async () => (await play(join(started.recordings, 'a-2.2.mp4'))).width).toBe(200);
    await expect.poll(async () => (await play(join(started.recordings, 'a-3.mp4'))).startsWithKey).toBe(true);
  });

  it('nothing where it cannot, and tells the host, whose log is the only one', async () => {
    await rename(started.recordings, `${started.recordings}-away`);
    await writeFile(started.recordings, 'no folder');
    started.streamer.record('a-4');
    await paint(10);
    await expect.poll(() => started.told.troubles.join()).toMatch(/^a recording ended early: EEXIST/);
    await rm(started.recordings);
    await rename(`${started.recordings}-away`, started.recordings);
    started.streamer.record(null);
  });

  it('the last seconds for a clip', async () => {
    const viewer = await started.core.join(started.streamer);
    await viewer.framesReach(1);
    const file = join(started.recordings, 'clip.mp4');
    // It begins later where the viewer did not keep up.
    const clip = async () => {
      await paint(30);
      await writeFile(file, await started.streamer.clip(1));
      return play(file);
    };
    await expect.poll(async () => (await clip()).seconds).toBeGreaterThan(0.9);
    const played = await play(file);
    expect(played.startsWithKey).toBe(true);
    expect(played.seconds).toBeLessThan(1.6);
    expect((await readFile(file)).subarray(4, 8).toString()).toBe('ftyp');
    await viewer.leave();
  });

  it('a screen on which nothing has happened for as long as it stood still', async () => {
    const viewer = await started.core.join(started.streamer);
    await viewer.framesReach(1);
    await paint(6);
    await sleep(2500);
    const file = join(started.recordings, 'still.mp4');
    const clip = async () => {
      await writeFile(file, await started.streamer.clip(2));
      return play(file);
    };
    await expect.poll(async () => (await clip()).seconds).toBeGreaterThan(1.9);
    expect((await play(file)).seconds).toBeLessThan(2.6);
    await viewer.leave();
  });

  it('what was written before it was killed can be played', async () => {
    await record('a-9');
    await paint(140);
    process.kill(started.streamer.pid, 'SIGKILL');
    await started.streamer.ended;
    expect((await play(join(started.recordings, 'a-9.mp4'))).seconds).toBeGreaterThan(3);
    await started.startAgain();
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNodeAv, type NodeAv } from '../encode/node-av.ts';
import { encodeInput } from '../protocol.ts';
import { decodePicture } from '../testing/decode-picture.ts';
import { hasXvfb } from '../testing/x-server.ts';
import { type StartedStreamer, startTestStreamer } from './testing/started-streamer.ts';

const av = await loadNodeAv();
const size = { width: 640, height: 480 };
const everything = { x: 0, y: 0, ...size };

describe.skipIf(!hasXvfb || !av)('a streamer in real time', () => {
  let lib: NodeAv;
  let started: StartedStreamer;

  beforeEach(async () => {
    if (!av) throw new Error('node-av is missing');
    lib = av;
    started = await startTestStreamer(size);
  });

  afterEach(() => started[Symbol.asyncDispose]());

  /** Changes the screen, by so much that it goes as video. */
  async function paint(n: number): Promise<void> {
    const y = (n * 16) % (size.height - 120);
    await started.painter.fill({ x: 0, y, width: size.width, height: 120 }, (n * 0x012345) & 0xffffff);
  }

  it('shows the screen soon after the dial', async () => {
    const dialled = performance.now();
    const viewer = await started.core.join(started.streamer);
    await viewer.framesReach(1);
    expect(performance.now() - dialled).toBeLessThan(1500);
  });

  it('shows a film with one quantiser as long as it lasts, and a fine picture when it is over', async () => {
    const { core, streamer, painter } = started;
    const viewer = await core.join(streamer);
    await viewer.framesReach(1);
    for (let n = 0; n < 100; n++) {
      await paint(n);
      await sleep(30);
    }
    const keys = () => viewer.frames.filter(({ key }) => key).length;
    expect(keys()).toBe(2);
    const shown = viewer.frames.length;
    await painter.fill(everything, 0x2040c0);
    await expect.poll(keys).toBe(3);
    expect(viewer.frames.length).toBeGreaterThan(shown + 1);
    const [red, green, blue] = (await decodePicture(lib, viewer.frames)).at(300, 200);
    expect(Math.abs(red - 0x20) + Math.abs(green - 0x40) + Math.abs(blue - 0xc0)).toBeLessThan(20);
  });

  it('leaves out a viewer until it has caught up, then begins with a keyframe; the other loses nothing', async () => {
    const { core, streamer } = started;
    const fast = await core.join(streamer);
    const slow = await core.join(streamer);
    await slow.framesReach(1);
    slow.acknowledges = false;
    for (let n = 0; n < 40; n++) {
      const shown = fast.frames.length;
      await paint(n);
      await fast.framesReach(shown + 1);
      await sleep(40);
    }
    const sent = slow.frames.length;
    expect(fast.frames.length).toBeGreaterThan(sent + 10);
    const numbers = fast.frames.map(({ sequence }) => sequence);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    slow.acknowledges = true;
    slow.sendRaw(Buffer.from(encodeInput({ type: 'ack', sequence: slow.frames.at(-1)?.sequence ?? 0 })));
    await slow.framesReach(sent + 1);
    expect(slow.frames[sent]?.key).toBe(true);
  });
});

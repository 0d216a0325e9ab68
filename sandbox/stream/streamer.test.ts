import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadNodeAv, type NodeAv } from '../encode/node-av.ts';
import { decodePicture } from '../testing/decode-picture.ts';
import { hasXvfb } from '../testing/x-server.ts';
import { connectX, type XConnection } from '../x11/connect.ts';
import { bitrates } from './bitrate-ladder.ts';
import { InputRefusedError } from './streamer.ts';
import type { TestViewer } from './testing/local-core.ts';
import { type StartedStreamer, startTestStreamer } from './testing/started-streamer.ts';

const av = await loadNodeAv();
const size = { width: 640, height: 480 };
const everything = { x: 0, y: 0, ...size };

describe.skipIf(!hasXvfb || !av)('a streamer', () => {
  let lib: NodeAv;
  let started: StartedStreamer;
  let x: XConnection;

  beforeAll(async () => {
    if (!av) throw new Error('node-av is missing');
    lib = av;
    started = await startTestStreamer(size);
    x = await connectX(started.server.display);
  });

  afterAll(async () => {
    await x.close();
    await started[Symbol.asyncDispose]();
  });

  afterEach(async () => {
    await started.core.empty();
    await until(() => started.told.viewers.length === 0);
  });

  /** Changes the screen, by so much that it goes as video. */
  async function paint(n: number): Promise<void> {
    const y = (n * 16) % (size.height - 120);
    await started.painter.fill({ x: 0, y, width: size.width, height: 120 }, (n * 0x012345) & 0xffffff);
  }

  /** Keeps the screen changing, so that there is something to send. */
  async function paintFor(ms: number): Promise<void> {
    const until = performance.now() + ms;
    for (let n = 0; performance.now() < until; n++) {
      await paint(n);
      await sleep(40);
    }
  }

  /** Waits until the picture is as fine as it gets: none has come for one and a half seconds. */
  async function rest(viewer: TestViewer): Promise<void> {
    let shown = viewer.frames.length;
    for (let quiet = 0; quiet < 15; quiet++) {
      await sleep(100);
      if (viewer.frames.length > shown) quiet = 0;
      shown = viewer.frames.length;
    }
  }

  const where = () => x.ask<{ rootX: number; rootY: number }>((reply) => x.client.QueryPointer(x.root, reply));

  describe('shows', () => {
    it('the screen as it is, beginning with a keyframe', async () => {
      const { core, painter, streamer } = started;
      await painter.fill(everything, 0x2040c0);
      const dialled = performance.timeOrigin + performance.now();
      const viewer = await core.join(streamer, { name: 'Ada' });
      await viewer.framesReach(1);
      expect(viewer.messages.slice(0, 3)).toMatchObject([
        { type: 'hello', v: 1, desktop: 'd-test', ...size, codec: 'h264', mode: 'watch' },
        { type: 'controller', name: null, you: false },
        { type: 'video', enabled: true, bitrate: bitrates[0] },
      ]);
      const [frame] = viewer.frames;
      expect(frame).toMatchObject({ key: true, codec: 1, ...size });
      const madeAt = Number(frame?.ptsMicroseconds) / 1000;
      expect(madeAt).toBeGreaterThan(dialled - 500);
      expect(madeAt).toBeLessThan((frame?.at ?? 0) + 500);
      const [red, green, blue] = (await decodePicture(lib, viewer.frames)).at(300, 200);
      expect([Math.abs(red - 0x20), Math.abs(green - 0x40), Math.abs(blue - 0xc0)].every((off) => off < 8)).toBe(true);
    });

    it('what is drawn, as pictures that build on the first', async () => {
      const { core, painter, streamer } = started;
      const viewer = await core.join(streamer);
      await viewer.framesReach(1);
      await painter.fill({ x: 200, y: 150, width: 300, height: 300 }, 0xff0000);
      await viewer.framesReach(2);
      const isRed = async () => {
        const [red, green, blue] = (await decodePicture(lib, viewer.frames)).at(232, 232);
        return red > 230 && green < 25 && blue < 25;
      };
      await expect.poll(isRed).toBe(true);
      expect(viewer.frames.filter(({ key }) => key)).toHaveLength(1);
    });

    it('a small change at once and exactly as it is, and a second later in the video that is recorded', async () => {
      const { core, painter, streamer } = started;
      const viewer = await core.join(streamer);
      await viewer.framesReach(1);
      streamer.record('a-patched');
      await until(() => viewer.frames.filter(({ key }) => key).length >= 2);
      await rest(viewer);
      const before = viewer.frames.length;
      await painter.fill({ x: 200, y: 100, width: 90, height: 40 }, 0xe02040);
      await until(() => viewer.patches.length === 1);
      const [patch] = viewer.patches;
      expect(patch).toMatchObject({ x: 200, y: 100 });
      const { data, info } = await sharp(patch?.data).raw().toBuffer({ resolveWithObject: true });
      expect(info).toMatchObject({ width: 90, height: 40, channels: 3 });
      expect(new Set(data.toString('hex').match(/.{6}/g))).toEqual(new Set(['e02040']));
      await viewer.framesReach(before + 1);
      const [last, next] = viewer.frames.slice(before - 1);
      expect((patch?.sequence ?? 0) - (last?.sequence ?? 0)).toBe(1);
      expect((next?.sequence ?? 0) - (patch?.sequence ?? 0)).toBe(1);
      expect((next?.ptsMicroseconds ?? 0n) - (patch?.ptsMicroseconds ?? 0n)).toBeGreaterThan(900_000n);
      const [red, green, blue] = (await decodePicture(lib, viewer.frames)).at(240, 120);
      expect(Math.abs(red - 0xe0) + Math.abs(green - 0x20) + Math.abs(blue - 0x40)).toBeLessThan(20);
      streamer.record(null);
    });

    it('whoever comes later a keyframe with all of it, since they have nothing that a patch goes over', async () => {
      const { core, painter, streamer } = started;
      const first = await core.join(streamer);
      await first.framesReach(1);
      await rest(first);
      await painter.fill({ x: 20, y: 20, width: 60, height: 60 }, 0x20e040);
      await until(() => first.patches.length > 0);
      const second = await core.join(streamer);
      await second.framesReach(1);
      expect(second.patches).toEqual([]);
      const [red, green, blue] = (await decodePicture(lib, second.frames)).at(50, 50);
      expect(Math.abs(red - 0x20) + Math.abs(green - 0xe0) + Math.abs(blue - 0x40)).toBeLessThan(20);
    });

    it('in a clip what has just changed, though it went as a patch', async () => {
      const { core, painter, streamer } = started;
      const viewer = await core.join(streamer);
      await viewer.framesReach(1);
      await rest(viewer);
      const before = viewer.frames.length;
      await painter.fill({ x: 20, y: 20, width: 60, height: 60 }, 0x2040e0);
      await until(() => viewer.patches.length > 0);
      expect((await streamer.clip(5)).byteLength).toBeGreaterThan(1000);
      await viewer.framesReach(before + 1);
      const [red, green, blue] = (await decodePicture(lib, viewer.frames)).at(50, 50);
      expect(Math.abs(red - 0x20) + Math.abs(green - 0x40) + Math.abs(blue - 0xe0)).toBeLessThan(20);
    });

    it('a picture after ten small changes in a row, so that a clip shows what is typed', async () => {
      const { core, painter, streamer } = started;
      const viewer = await core.join(streamer);
      await viewer.framesReach(1);
      await rest(viewer);
      const before = { frames: viewer.frames.length, patches: viewer.patches.length };
      for (let n = 1; n <= 11; n++) {
        await painter.fill({ x: 20 * n, y: 20, width: 10, height: 10 }, 0x404040 + n);
        await until(() => viewer.patches.length + viewer.frames.length >= before.patches + before.frames + n);
      }
      expect(viewer.patches.length).toBe(before.patches + 10);
      expect((viewer.frames[before.frames]?.sequence ?? 0) - (viewer.patches.at(-1)?.sequence ?? 0)).toBe(1);
    });

    it('the same pictures to everybody, from one encoder, and who is watching', async () => {
      const { core, streamer, told } = started;
      const ada = await core.join(streamer, { name: 'Ada' });
      await ada.framesReach(1);
      const bob = await core.join(streamer, { name: 'Bob' });
      await ada.next('viewers', ({ names }) => names.length === 2);
      await until(() => told.viewers.map(({ name }) => name).join() === 'Ada,Bob');
      await bob.framesReach(1);
      for (let n = 0; n < 30; n++) {
        const shown = { ada: ada.frames.length, bob: bob.frames.length };
        await paint(n);
        await ada.framesReach(shown.ada + 1);
        await bob.framesReach(shown.bob + 1);
      }
      await until(() => bob.frames.at(-1)?.sequence === ada.frames.at(-1)?.sequence);
      const first = bob.frames[0];
      expect(first?.key).toBe(true);
      const same = ada.frames.filter(({ sequence }) => sequence >= (first?.sequence ?? 0));
      expect(bob.frames.map(({ sequence }) => sequence)).toEqual(same.map(({ sequence }) => sequence));
      await ada.leave();
      expect((await bob.next('viewers', ({ names }) => names.length === 1)).names).toEqual(['Bob']);
    });

    it('where the pointer is and what it looks like', async () => {
      const { core, streamer } = started;
      await streamer.act([{ do: 'move', x: 320, y: 240 }]);
      const viewer = await core.join(streamer);
      const shaped = await viewer.next('cursor', ({ image }) => image !== undefined);
      expect([shaped.x, shaped.y].map((share) => Math.round((share / 65535) * 10) / 10)).toEqual([0.5, 0.5]);
      await streamer.act([{ do: 'move', x: 0, y: 0 }]);
      expect((await viewer.next('cursor', ({ x: left }) => left < 100)).image).toBeUndefined();
    });

    it('nothing while nothing changes', async () => {
      const { core, streamer } = started;
      const viewer = await core.join(streamer);
      await viewer.framesReach(1);
      await rest(viewer);
      const before = viewer.frames.length;
      await sleep(2000);
      expect(viewer.frames.length).toBe(before);
    });

    it('its answer to a ping at once', async () => {
      const viewer = await started.core.join(started.streamer);
      viewer.say({ type: 'ping', t: 42 });
      expect(await viewer.next('pong')).toEqual({ type: 'pong', t: 42 });
    });
  });

  describe('with a viewer that does not keep up', () => {
    // The bitrate begins at its best again.
    beforeEach(async () => {
      await started.streamer.stop();
      await started.startAgain();
    });

    it('steps the bitrate down for all, gives up its video, and goes up again for the others', async () => {
      const { core, streamer } = started;
      const fast = await core.join(streamer);
      const slow = await core.join(streamer);
      await slow.framesReach(1);
      slow.acknowledges = false;
      const painting = paintFor(15_000);
      for (const bitrate of bitrates.slice(1))
        expect((await fast.next('video', (message) => message.bitrate === bitrate)).enabled).toBe(true);
      expect(await slow.next('video', ({ enabled }) => !enabled)).toEqual({
        type: 'video',
        enabled: false,
        bitrate: 0,
        reason: 'slow',
      });
      await fast.next('video', ({ bitrate }) => bitrate === bitrates[2]);
      const given = slow.frames.length;
      await paintFor(500);
      expect(slow.frames.length).toBe(given);
      slow.acknowledges = true;
      slow.sendRaw(acknowledgement(slow.frames.at(-1)?.sequence ?? 0));
      slow.say({ type: 'set_video_enabled', enabled: true });
      await slow.next('video', ({ enabled }) => enabled);
      await slow.framesReach(given + 1);
      expect(slow.frames[given]?.key).toBe(true);
      await painting;
    }, 40_000);

    it('encodes nothing when nobody wants video', async () => {
      const { core, streamer } = started;
      const viewer = await core.join(streamer);
      await viewer.framesReach(1);
      viewer.say({ type: 'set_video_enabled', enabled: false });
      expect(await viewer.next('video', ({ enabled }) => !enabled)).toMatchObject({ reason: 'asked' });
      const last = viewer.frames.at(-1)?.sequence ?? 0;
      await paintFor(500);
      viewer.say({ type: 'set_video_enabled', enabled: true });
      await viewer.framesReach(viewer.frames.length + 1);
      expect(viewer.frames.at(-1)).toMatchObject({ key: true, sequence: last + 1 });
    });
  });

  describe('takes input', () => {
    beforeEach(() => {
      started.told.asked = [];
      started.told.released = [];
      started.told.did = [];
    });

    it('from nobody who may only watch', async () => {
      const { core, streamer } = started;
      const viewer = await core.join(streamer, { mode: 'watch' });
      await streamer.act([{ do: 'move', x: 5, y: 5 }]);
      viewer.do({ type: 'pointer', x: 65535, y: 65535 });
      expect((await viewer.next('error')).code).toBe('forbidden');
      viewer.say({ type: 'request_control' });
      await sleep(100);
      expect(started.told.asked).toEqual([]);
      expect(await where()).toMatchObject({ rootX: 5, rootY: 5 });
    });

    it('from the one who controls, and tells what they did when they give it back', async () => {
      const { core, streamer, told } = started;
      const viewer = await core.join(streamer, { name: 'Ada', mode: 'control' });
      viewer.do({ type: 'pointer', x: 65535, y: 65535 });
      viewer.say({ type: 'request_control' });
      await until(() => told.asked.length === 1);
      expect(await where()).toMatchObject({ rootX: 5, rootY: 5 });
      streamer.setController({ viewer: viewer.dial.person.viewer, name: 'Ada' });
      expect(await viewer.next('controller', ({ you }) => you)).toMatchObject({ name: 'Ada' });
      viewer.do({ type: 'pointer', x: 65535, y: 65535 });
      viewer.do({ type: 'button', down: true, button: 1 });
      viewer.do({ type: 'button', down: false, button: 1 });
      await until(async () => (await where()).rootX === 639);
      viewer.say({ type: 'release_control' });
      await until(() => told.released.length === 1);
      expect(told.did.join()).toMatch(/click/);
      streamer.setController(null);
      await viewer.next('controller', ({ name }) => name === null);
    });

    it('not from the agent while a person controls', async () => {
      const { core, streamer } = started;
      const viewer = await core.join(streamer, { name: 'Ada', mode: 'control' });
      streamer.setController({ viewer: viewer.dial.person.viewer, name: 'Ada' });
      await expect(streamer.act([{ do: 'move', x: 1, y: 1 }])).rejects.toThrow(InputRefusedError);
      streamer.setController(null);
      await streamer.act([{ do: 'move', x: 1, y: 1 }]);
      expect(await where()).toMatchObject({ rootX: 1, rootY: 1 });
    });

    it('no longer from the one who controlled when another takes over, though much of it is not done yet', async () => {
      const { core, streamer } = started;
      const ada = await core.join(streamer, { name: 'Ada', mode: 'control' });
      const bob = await core.join(streamer, { name: 'Bob', mode: 'control' });
      streamer.setController({ viewer: ada.dial.person.viewer, name: 'Ada' });
      await ada.next('controller', ({ you }) => you);
      for (let n = 0; n < 100; n++) ada.do({ type: 'text', text: 'a'.repeat(4096) });
      ada.say({ type: 'ping', t: 1 });
      await ada.next('pong');
      streamer.setController({ viewer: bob.dial.person.viewer, name: 'Bob' });
      await bob.next('controller', ({ you }) => you);
      bob.do({ type: 'pointer', x: 0, y: 65535 });
      const asked = performance.now();
      await until(async () => (await where()).rootY === size.height - 1);
      // What Ada still wanted typed takes minutes.
      expect(performance.now() - asked).toBeLessThan(10_000);
      expect((await ada.next('error')).message).toBe('somebody else has the input now');
      streamer.setController(null);
    });

    it('that is none for an error, and ends a connection that sends no other', async () => {
      const viewer = await started.core.join(started.streamer, { mode: 'control' });
      viewer.sendRaw(Buffer.from([0x99]));
      expect(await viewer.next('error')).toMatchObject({ code: 'bad_frame' });
      viewer.sendRaw('{"type":"auth","token":');
      for (let n = 0; n < 30; n++) viewer.sendRaw('no json');
      expect(await viewer.closed).toBe(1008);
    });
  });

  describe('gives', () => {
    it('stills, and none to whoever has it already', async () => {
      const { painter, streamer } = started;
      await painter.fill(everything, 0x00a000);
      const still = await streamer.still({ format: 'jpeg', quality: 70 });
      expect(still).toMatchObject(size);
      expect(still.data?.subarray(0, 3).toString('hex')).toBe('ffd8ff');
      const same = await streamer.still({ format: 'jpeg', quality: 70, unless: still.serial });
      expect(same).toEqual({ serial: still.serial, ...size });
      await painter.fill(everything, 0x00b000);
      // The X server tells the streamer of it by another connection.
      const again = () => streamer.still({ format: 'png', quality: 1, width: 320, unless: still.serial });
      let next = await again();
      await until(async () => {
        next = await again();
        return next.data !== undefined;
      });
      expect(next).toMatchObject({ width: 320, height: 240 });
      expect(next.serial).toBeGreaterThan(still.serial);
      expect(next.data?.subarray(1, 4).toString()).toBe('PNG');
      const pixels = await sharp(next.data).raw().toBuffer();
      expect([...pixels.subarray(0, 3)]).toEqual([0, 0xb0, 0]);
    });

    it('a hello and a keyframe of another size after a resize', async () => {
      const { core, streamer, told } = started;
      const viewer = await core.join(streamer);
      await viewer.framesReach(1);
      const before = viewer.frames.length;
      await streamer.resize(400, 300);
      await viewer.next('hello', ({ width }) => width === 400);
      await until(() => viewer.frames.some(({ width }) => width === 400));
      expect(viewer.frames.slice(before).find(({ width }) => width === 400)).toMatchObject({ key: true, height: 300 });
      expect(told.sizes).toEqual(['400x300']);
      await streamer.resize(size.width, size.height);
      await viewer.next('hello', ({ width }) => width === size.width);
    });

    it('its process nothing of the environment of the host but paths', () => {
      const environment = readFileSync(`/proc/${started.streamer.pid}/environ`, 'utf8').split('\0');
      const names = environment.filter((line) => line !== '').map((line) => line.split('=')[0]);
      expect(names.filter((name) => /TOKEN|SECRET|KEY|PASSWORD|VITEST|NODE_CHANNEL_FD_/.test(name ?? ''))).toEqual([]);
      expect(readFileSync(`/proc/${started.streamer.pid}/cmdline`, 'utf8')).not.toContain(
        started.server.display.cookie,
      );
    });
  });

  it('keeps nothing of viewers that have come and gone', async () => {
    const { core, streamer } = started;
    const visit = async () => {
      const viewer = await core.join(streamer);
      await viewer.next('viewers');
      await viewer.leave();
    };
    for (let n = 0; n < 10; n++) await visit();
    await until(() => started.told.viewers.length === 0);
    const before = { files: openFiles(streamer.pid), memory: residentMiB(streamer.pid) };
    for (let n = 0; n < 100; n++) await visit();
    await until(() => started.told.viewers.length === 0);
    await expect.poll(() => openFiles(streamer.pid)).toBeLessThanOrEqual(before.files);
    expect(residentMiB(streamer.pid) - before.memory).toBeLessThan(40);
  });

  it('that is killed says so, and another shows the screen again', async () => {
    const { streamer, core, told } = started;
    const viewer = await core.join(streamer);
    told.viewers = [];
    process.kill(streamer.pid, 'SIGKILL');
    expect(await streamer.ended).toMatch(/SIGKILL/);
    await viewer.closed;
    await expect(streamer.still({ format: 'jpeg', quality: 70 })).rejects.toThrow(/has ended/);
    await started.startAgain();
    const again = await core.join(started.streamer);
    await again.framesReach(1);
  });

  it('ends with its screen', async () => {
    await using other = await startTestStreamer({ width: 320, height: 240 });
    await other.painter.close();
    await other.server.kill();
    expect(await other.streamer.ended).toMatch(/X server/);
    await expect(other.startAgain()).rejects.toThrow(/cannot be reached/);
  });
});

describe.skipIf(!hasXvfb)('a streamer without an encoder', () => {
  it('says so, and gives stills and takes input all the same', async () => {
    await using started = await startTestStreamer({ width: 320, height: 240 }, { names: [], remote: null });
    const viewer = await started.core.join(started.streamer, { mode: 'control' });
    expect(await viewer.next('hello')).toMatchObject({ codec: 'jpeg' });
    expect(await viewer.next('video')).toEqual({ type: 'video', enabled: false, bitrate: 0, reason: 'no_encoder' });
    viewer.say({ type: 'set_video_enabled', enabled: true });
    expect(await viewer.next('video')).toMatchObject({ enabled: false, reason: 'no_encoder' });
    const { data } = await started.streamer.still({ format: 'jpeg', quality: 50 });
    expect(data?.byteLength).toBeGreaterThan(100);
    await started.streamer.act([{ do: 'click', x: 10, y: 10, button: 'left', count: 1 }]);
    await expect(started.streamer.clip(5)).rejects.toThrow(/no encoder/);
    started.streamer.record('a-1');
    expect(viewer.frames).toEqual([]);
  });
});

function acknowledgement(sequence: number): Buffer {
  const frame = Buffer.from([0x20, 0, 0, 0, 0]);
  frame.writeUInt32BE(sequence, 1);
  return frame;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come to be within 10 s');
    await sleep(5);
  }
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

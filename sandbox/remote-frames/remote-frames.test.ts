import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectScreen, EncodingFailedError, FramesLostError } from './frame-client.ts';
import { type FrameEncoder, type FrameServer, startFrameServer } from './frame-server.ts';
import { createMessageReader } from './read-messages.ts';
import { decodeMessage, encodeMessage, messageBytesAtMost, type RawFrame } from './wire.ts';

const token = 'a token of this test';
const size = { width: 640, height: 360 };

describe('frames that are encoded elsewhere', () => {
  let folder: string;
  let path: string;
  let stack: AsyncDisposableStack;
  let errors: Error[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-frames-'));
    path = join(folder, 'frames');
    stack = new AsyncDisposableStack();
    errors = [];
  });

  afterEach(async () => {
    await stack.disposeAsync();
    await rm(folder, { recursive: true });
  });

  async function serve(openEncoder: (screen: string) => FrameEncoder): Promise<FrameServer> {
    return stack.use(await startFrameServer({ listen: { path }, token, openEncoder, onError: (e) => errors.push(e) }));
  }

  async function screen(name: string) {
    return stack.use(await connectScreen({ path }, { name, fps: 30 }, token));
  }

  it('come back as access units, with their time and in their order', async () => {
    await serve((name) =>
      encoderOf(async (frame) => ({ key: frame.wantsKey, data: Buffer.from(`${name} ${frame.data[0]}`) })),
    );
    const one = await screen('one');

    const units = await Promise.all([7, 8, 9].map((value) => one.encode(picture(value, value === 7))));

    expect(units).toEqual(
      [7, 8, 9].map((value) => ({
        kind: 'unit',
        key: value === 7,
        ptsMicroseconds: BigInt(value),
        data: Buffer.from(`one ${value}`),
        dropped: 0,
      })),
    );
  });

  it('are dropped while three of the screen are under way, and how many is told', async () => {
    const gate = Promise.withResolvers<void>();
    let encoded = 0;
    await serve(() =>
      encoderOf(async () => {
        await gate.promise;
        encoded++;
        return { key: false, data: Buffer.from('unit') };
      }),
    );
    const one = await screen('one');

    const taken = [1, 2, 3].map((value) => one.encode(picture(value)));
    const more = await Promise.all([4, 5].map((value) => one.encode(picture(value))));
    gate.resolve();

    expect(more).toEqual([
      { kind: 'dropped', dropped: 1 },
      { kind: 'dropped', dropped: 2 },
    ]);
    expect(await Promise.all(taken)).toMatchObject([{ dropped: 2 }, { dropped: 2 }, { dropped: 2 }]);
    expect(await one.encode(picture(6))).toMatchObject({ kind: 'unit', dropped: 2 });
    expect(encoded).toBe(4);
  });

  it('are dropped by the encoder for a guest that sends more all the same', async () => {
    const gate = Promise.withResolvers<void>();
    await serve(() =>
      encoderOf(async () => {
        await gate.promise;
        return { key: false, data: Buffer.from('unit') };
      }),
    );
    const socket = connect({ path });
    const answers: unknown[] = [];
    socket.on(
      'data',
      createMessageReader(
        () => messageBytesAtMost,
        (bytes) => answers.push(decodeMessage(bytes)),
      ),
    );
    const hello = encodeMessage({ type: 'hello', version: 1, fps: 30, screen: 'greedy', token });
    const frames = [1, 2, 3, 4, 5].map((sequence) => encodeMessage({ ...picture(sequence), type: 'frame', sequence }));
    for (const part of [hello, ...frames].flat()) socket.write(part);

    await expect
      .poll(() => answers)
      .toEqual([
        { type: 'dropped', sequence: 4, dropped: 1 },
        { type: 'dropped', sequence: 5, dropped: 2 },
      ]);
    gate.resolve();
    await expect.poll(() => answers.length).toBe(5);
    expect(answers.slice(2)).toMatchObject([1, 2, 3].map((sequence) => ({ type: 'unit', sequence, dropped: 2 })));
    socket.destroy();
  });

  it('of one screen never wait for those of another: one encoder hangs, one is slow, four go on', async () => {
    const slowMs = 100;
    await serve((name) =>
      encoderOf(async () => {
        if (name === 'hangs') await new Promise(() => undefined);
        if (name === 'slow') await sleep(slowMs);
        return { key: false, data: Buffer.from('unit') };
      }),
    );
    const names = ['hangs', 'slow', 'a', 'b', 'c', 'd'];
    const screens = await Promise.all(names.map(screen));
    const counts = new Map(names.map((name) => [name, { units: 0, dropped: 0, slowest: 0 }]));
    const from = performance.now();

    async function send(name: string, index: number): Promise<void> {
      const count = counts.get(name);
      for (let n = 0; n < 40; n++) {
        const at = performance.now();
        const done = screens[index]?.encode(picture(n)).then((encoded) => {
          if (!count) return;
          if (encoded.kind === 'dropped') count.dropped++;
          else {
            count.units++;
            count.slowest = Math.max(count.slowest, performance.now() - at);
          }
        });
        done?.catch((error: unknown) => expect(error).toBeInstanceOf(FramesLostError));
        if (name !== 'hangs' && name !== 'slow') await done;
        await sleep(20);
      }
    }
    await Promise.all(names.map(send));

    const slow = counts.get('slow');
    await expect.poll(() => (slow?.units ?? 0) + (slow?.dropped ?? 0)).toBe(40);
    const seconds = (performance.now() - from) / 1000;
    expect(counts.get('hangs')).toMatchObject({ units: 0, dropped: 37 });
    expect(slow?.units).toBeGreaterThanOrEqual(3);
    expect(slow?.units).toBeLessThanOrEqual((seconds * 1000) / slowMs + 1);
    for (const name of ['a', 'b', 'c', 'd']) expect(counts.get(name)).toMatchObject({ units: 40, dropped: 0 });
    console.info('remote frames:', Object.fromEntries(counts));
  });

  it('that cannot be encoded say why, and the next one goes on', async () => {
    await serve(() =>
      encoderOf(async (frame) => {
        if (frame.data[0] === 1) throw new Error('out of surfaces');
        return { key: true, data: Buffer.from('unit') };
      }),
    );
    const one = await screen('one');

    await expect(one.encode(picture(1))).rejects.toThrow(EncodingFailedError);
    await expect(one.encode(picture(1))).rejects.toThrow('out of surfaces');
    expect(await one.encode(picture(2))).toMatchObject({ kind: 'unit', key: true });
  });

  it('of a size that cannot be are refused before they are sent', async () => {
    await serve(() => encoderOf(async () => ({ key: true, data: Buffer.from('unit') })));
    const one = await screen('one');

    await expect(one.encode({ ...picture(1), width: 641 })).rejects.toThrow(/even sides/);
    await expect(one.encode({ ...picture(1), width: 642 })).rejects.toThrow(/has 346680 bytes/);
    expect(await one.encode(picture(2))).toMatchObject({ kind: 'unit' });
  });

  it('are refused without the token, which is not said', async () => {
    await serve(() => encoderOf(async () => ({ key: true, data: Buffer.from('unit') })));
    const wrong = stack.use(await connectScreen({ path }, { name: 'one', fps: 30 }, 'another token'));

    await expect(wrong.encode(picture(1))).rejects.toThrow(FramesLostError);

    expect(errors.map(String)).toEqual([expect.stringContaining('its token is wrong')]);
    expect(String(errors)).not.toContain('another token');
  });

  it('end the connection when they are none', async () => {
    const server = await serve(() => encoderOf(async () => ({ key: true, data: Buffer.from('unit') })));
    // The last would be a frame for who has shown the token; from anybody else not even room is made for it.
    for (const garbage of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0, 0, 0, 1, 0x77]),
      Buffer.from([0, 0x2f, 0, 0, 0x02]),
    ]) {
      const socket = connect({ path });
      socket.write(garbage);
      socket.resume();
      await once(socket, 'close');
    }

    expect(errors.map(({ name }) => name)).toEqual(['BadMessageError', 'BadMessageError', 'BadMessageError']);
    expect(errors.at(-1)?.message).toMatch(/its length is 3080192/);
    expect(server.screens).toBe(0);
  });

  it('fail when the encoder goes away, and its encoders are closed when the guest does', async () => {
    let closed = 0;
    const server = await serve(() => ({
      encode: () => sleep(20).then(() => ({ key: true, data: Buffer.from('unit') })),
      close: () => {
        closed++;
      },
    }));
    const [one, two] = [await screen('one'), await screen('two')];
    await Promise.all([one.encode(picture(1)), two.encode(picture(1))]);

    await one.close();
    await expect.poll(() => closed).toBe(1);
    const open = expect(two.encode(picture(2))).rejects.toThrow(FramesLostError);
    await server.close();

    await open;
    await expect(two.lost).resolves.toBeInstanceOf(FramesLostError);
    await expect.poll(() => closed).toBe(2);
  });

  it('go over TCP as well: 1080p', async () => {
    const server = stack.use(
      await startFrameServer({
        listen: { host: '127.0.0.1', port: 0 },
        token,
        openEncoder: () => encoderOf(async (frame) => ({ key: true, data: frame.data.subarray(0, 10) })),
        onError: (error) => errors.push(error),
      }),
    );
    const one = stack.use(
      await connectScreen({ host: '127.0.0.1', port: server.port ?? 0 }, { name: 'one', fps: 30 }, token),
    );
    const [width, height] = [1920, 1080];
    const data = Buffer.alloc((width * height * 3) / 2, 7);
    const frame = { wantsKey: false, ptsMicroseconds: 1n, bitrate: 8_000_000, width, height, data };

    const from = performance.now();
    const count = 60;
    for (let n = 0; n < count; n++) expect(await one.encode(frame)).toMatchObject({ kind: 'unit' });

    const each = (performance.now() - from) / count;
    console.info(`a 1080p frame over TCP and its answer: ${each.toFixed(1)} ms`);
    expect(errors).toEqual([]);
  });
});

function encoderOf(encode: FrameEncoder['encode']): FrameEncoder {
  return { encode, close: () => undefined };
}

/** One whose first byte and time are `value`. */
function picture(value: number, wantsKey = false): Omit<RawFrame, 'type' | 'sequence'> {
  const data = Buffer.alloc((size.width * size.height * 3) / 2, value);
  return { wantsKey, ptsMicroseconds: BigInt(value), bitrate: 8_000_000, ...size, data };
}

import { beforeAll, describe, expect, it } from 'vitest';
import { wholeScreen } from '../capture/bands.ts';
import { decodePicture } from '../testing/decode-picture.ts';
import { loadNodeAv, type NodeAv } from './node-av.ts';
import { type AccessUnit, openVideoEncoder, type VideoEncoder } from './video-encoder.ts';

const av = await loadNodeAv();

describe.skipIf(!av)('an encoder', () => {
  const size = { width: 640, height: 480 };
  let lib: NodeAv;

  beforeAll(() => {
    if (!av) throw new Error('node-av is missing');
    lib = av;
  });

  const open = (bitrate = 8_000_000, of = size, threads = 2): Promise<VideoEncoder> =>
    openVideoEncoder(lib, { name: 'libx264', size: of, fps: 30, bitrate, effort: 'ultrafast', threads });

  function screenOf(colour: [number, number, number], of = size): Buffer {
    const [red, green, blue] = colour;
    return Buffer.alloc(of.width * of.height * 4, Buffer.from([blue, green, red, 0]));
  }

  function noise(seed: number): Buffer {
    let state = seed;
    const pixels = Buffer.alloc(size.width * size.height * 4);
    for (let at = 0; at < pixels.length; at += 4) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      pixels.writeUInt32LE(state, at);
    }
    return pixels;
  }

  async function encodeAll(encoder: VideoEncoder, screens: Buffer[], everyMs = 33): Promise<AccessUnit[]> {
    const units: AccessUnit[] = [];
    for (const [index, pixels] of screens.entries())
      units.push(
        ...(await encoder.encode(pixels, wholeScreen(size.height), {
          ptsMicroseconds: BigInt(index * everyMs * 1000),
          key: index === 0,
        })),
      );
    return units;
  }

  it('gives each picture at once, the first as a keyframe with its parameter sets, and no other', async () => {
    const encoder = await open();
    const units = await encodeAll(encoder, [1, 2, 3, 4, 5].map(noise));
    encoder.close();
    expect(units.map(({ key }) => key)).toEqual([true, false, false, false, false]);
    expect(units[0]?.data.subarray(0, 5).toString('hex')).toBe('0000000167');
    expect(units.map(({ ptsMicroseconds }) => Number(ptsMicroseconds))).toEqual([0, 33e3, 66e3, 99e3, 132e3]);
  });

  it.each<[string, [number, number, number]]>([
    ['red', [255, 0, 0]],
    ['green', [0, 255, 0]],
    ['blue', [0, 0, 255]],
    ['grey', [128, 128, 128]],
  ])('shows %s as it is', async (_name, colour) => {
    const encoder = await open();
    const units = await encodeAll(encoder, [screenOf(colour)]);
    encoder.close();
    const picture = await decodePicture(lib, units);
    const [red, green, blue] = picture.at(320, 240);
    expect(Math.abs(red - colour[0]) + Math.abs(green - colour[1]) + Math.abs(blue - colour[2])).toBeLessThan(10);
    expect(picture.colours).toEqual({ matrix: 'smpte170m', primaries: 'bt709', range: 'tv' });
  });

  it('takes over only the bands that it is given', async () => {
    const encoder = await open();
    const first = await encodeAll(encoder, [screenOf([0, 0, 0])]);
    const second = await encoder.encode(screenOf([255, 255, 255]), [{ top: 64, height: 32 }], {
      ptsMicroseconds: 33_000n,
      key: false,
    });
    encoder.close();
    const picture = await decodePicture(lib, [...first, ...second]);
    expect([picture.at(10, 63)[0] < 20, picture.at(10, 80)[0] > 235, picture.at(10, 100)[0] < 20]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('makes a keyframe when it is told to', async () => {
    const encoder = await open();
    await encodeAll(encoder, [noise(1), noise(2)]);
    const [unit] = await encoder.encode(noise(3), wholeScreen(480), { ptsMicroseconds: 99_000n, key: true });
    encoder.close();
    expect(unit?.key).toBe(true);
  });

  it('keeps within the bitrate, also when that is changed', async () => {
    const encoder = await open(8_000_000);
    const bytesIn = (units: AccessUnit[]) => units.reduce((sum, { data }) => sum + data.byteLength, 0);
    const screens = Array.from({ length: 90 }, (_, index) => noise(index + 1));
    const before = bytesIn(await encodeAll(encoder, screens));
    expect(encoder.setBitrate(2_000_000)).toBe(true);
    let after = 0;
    for (const [index, pixels] of screens.entries()) {
      const at = { ptsMicroseconds: BigInt(3_000_000 + index * 33_000), key: false };
      after += bytesIn(await encoder.encode(pixels, wholeScreen(480), at));
    }
    encoder.close();
    expect((before * 8) / 3).toBeLessThan(9_500_000);
    expect((before * 8) / 3).toBeGreaterThan(4_000_000);
    expect((after * 8) / 3).toBeLessThan(2_700_000);
  });

  it('keeps lines of one pixel sharp, up to the right edge', async () => {
    const lines = Buffer.alloc(size.width * size.height * 4, 255);
    for (let pixel = 0; pixel < size.width * size.height; pixel += 2) lines.writeUInt32LE(0, pixel * 4);
    const encoder = await open();
    const units = await encoder.encode(lines, wholeScreen(size.height), { ptsMicroseconds: 0n, key: true });
    encoder.close();
    const picture = await decodePicture(lib, units);
    // Whoever resamples is off by more with each column.
    const row = [4, 3, 2, 1].map((fromRight) => picture.at(size.width - fromRight, 100)[1]);
    expect(Math.max(row[0] ?? 255, row[2] ?? 255)).toBeLessThan(25);
    expect(Math.min(row[1] ?? 0, row[3] ?? 0)).toBeGreaterThan(230);
  });

  it('may spend after a pause what it did not spend in it', async () => {
    const lastOf = async (pauseMs: number): Promise<number> => {
      // One thread: the same each time.
      const encoder = await open(4_000_000, size, 1);
      await encodeAll(
        encoder,
        Array.from({ length: 30 }, (_, index) => noise(index + 1)),
      );
      // x264 counts what a picture brings in behind it, so that the next one may spend it.
      const pts = 1_000_000n + BigInt(pauseMs * 1000);
      await encoder.encode(noise(30), [], { ptsMicroseconds: pts, key: false });
      const [unit] = await encoder.encode(noise(99), wholeScreen(480), { ptsMicroseconds: pts + 33_000n, key: false });
      encoder.close();
      return unit?.data.byteLength ?? 0;
    };
    const [rested, tired] = [await lastOf(500), await lastOf(33)];
    expect(rested).toBeGreaterThan(1.25 * tired);
  });

  it('leaves out an odd last row and column', async () => {
    const odd = { width: 321, height: 241 };
    const encoder = await open(8_000_000, odd);
    const units = await encoder.encode(screenOf([0, 255, 0], odd), wholeScreen(odd.height), {
      ptsMicroseconds: 0n,
      key: true,
    });
    expect([encoder.width, encoder.height]).toEqual([320, 240]);
    encoder.close();
    const picture = await decodePicture(lib, units);
    expect([picture.width, picture.height]).toEqual([320, 240]);
    expect(picture.at(319, 239)[1]).toBeGreaterThan(240);
  });
});

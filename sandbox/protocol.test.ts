import { describe, expect, it } from 'vitest';
import {
  BadFrameError,
  codecs,
  decodeInput,
  decodeMedia,
  encodeAudio,
  encodeInput,
  encodePatch,
  encodeVideo,
  type Input,
  isLater,
  textAtMost,
} from './protocol.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('a picture', () => {
  const picture = {
    key: true,
    codec: codecs.h264,
    sequence: 0xdeadbeef,
    ptsMicroseconds: 0x0102030405060708n,
    width: 1920,
    height: 1080,
    data: bytes('00 00 00 01 67 42'),
  };

  it('is written big-endian, with its head of 20 bytes first', () => {
    expect(hex(encodeVideo(picture))).toBe('01010100deadbeef010203040506070807800438000000016742');
  });

  it('is read from anywhere in a buffer, without copying what it carries', () => {
    const inside = new Uint8Array([9, 9, ...encodeVideo(picture), 9]).subarray(2, -1);
    const read = decodeMedia(inside);
    expect(read).toEqual({ type: 'video', ...picture });
    expect(read.data.buffer).toBe(inside.buffer);
  });

  it('without the key flag is none', () => {
    expect(decodeMedia(encodeVideo({ ...picture, key: false }))).toMatchObject({ key: false });
  });
});

it('sound is written and read', () => {
  const packet = { sequence: 7, ptsMicroseconds: 20_000n, data: bytes('fc ff fe') };
  expect(hex(encodeAudio(packet))).toBe('020000000000000700000000' + '00004e20' + 'fcfffe');
  expect(decodeMedia(encodeAudio(packet))).toEqual({ type: 'audio', ...packet });
});

it('a patch is written and read', () => {
  const patch = { sequence: 7, ptsMicroseconds: 20_000n, x: 1200, y: 300, data: bytes('89 50 4e 47') };
  expect(hex(encodePatch(patch))).toBe('03000000000000070000000000004e2004b0012c89504e47');
  expect(decodeMedia(encodePatch(patch))).toEqual({ type: 'patch', ...patch });
});

describe('what a viewer sends', () => {
  it.each<[Input | { type: 'ack'; sequence: number }, string]>([
    [{ type: 'key', down: true, keysym: 0x01000436 }, '100101000436'],
    [{ type: 'button', down: false, button: 3 }, '110003'],
    [{ type: 'pointer', x: 65535, y: 1 }, '12ffff0001'],
    [{ type: 'motion', dx: -1, dy: 300 }, '13ffff012c'],
    [{ type: 'wheel', dx: 0, dy: -120 }, '140000ff88'],
    [{ type: 'text', text: 'héllo 世界 🙂' }, '1568c3a96c6c6f20e4b896e7958c20f09f9982'],
    [{ type: 'ack', sequence: 2 ** 32 - 1 }, '20ffffffff'],
  ])('%j is %s', (input, encoded) => {
    expect(hex(encodeInput(input))).toBe(encoded);
    expect(decodeInput(bytes(encoded))).toEqual(input);
  });

  it('is kept within its range', () => {
    expect(decodeInput(encodeInput({ type: 'pointer', x: 70_000, y: -3 }))).toEqual({
      type: 'pointer',
      x: 65535,
      y: 0,
    });
    expect(decodeInput(encodeInput({ type: 'wheel', dx: 1e9, dy: 0.4 }))).toEqual({ type: 'wheel', dx: 32767, dy: 0 });
  });

  it('of a long text is refused: it is sent in pieces', () => {
    expect(() => encodeInput({ type: 'text', text: 'ä'.repeat(textAtMost) })).toThrow(RangeError);
  });

  it.each([
    ['nothing', ''],
    ['an unknown type', '99 00'],
    ['a picture, which only a host sends', '01 00 01 00'],
    ['a key that is cut short', '10 01 00'],
    ['a key with something behind it', '10 01 00 00 00 41 00'],
    ['a button that is neither up nor down', '11 02 01'],
    ['a text that is not UTF-8', '15 c3 28'],
  ])('is refused when it is %s', (_what, encoded) => {
    expect(() => decodeInput(bytes(encoded))).toThrow(BadFrameError);
  });

  it('is refused when its text is longer than any viewer sends', () => {
    expect(() => decodeInput(new Uint8Array(2 + textAtMost).fill(0x15))).toThrow(/more than 4096 bytes/);
  });
});

it.each(['01', '01 01 01 00 00 00 00 01', '02 00', '10 01 00 00 00 41', ''])('a host does not send "%s"', (encoded) => {
  expect(() => decodeMedia(bytes(encoded))).toThrow(BadFrameError);
});

it('numbers are compared across their wrap', () => {
  expect(isLater(2, 1)).toBe(true);
  expect(isLater(1, 2)).toBe(false);
  expect(isLater(5, 5)).toBe(false);
  expect(isLater(3, 2 ** 32 - 2)).toBe(true);
  expect(isLater(2 ** 32 - 2, 3)).toBe(false);
});

/**
 * The wire format between a Linux guest that has screens and a native process beside it that has an encoder (macOS: a guest sees no
 * VideoToolbox). A stream, TCP or a UNIX socket, one connection a screen, so that no screen waits for another's bytes. Big-endian:
 *
 *     length u32 of what follows · type u8 · body
 *
 *     0x01 hello    guest → encoder  version u8 · fps u8 · length of the name u8 · name of the screen, UTF-8 · token, UTF-8
 *     0x02 frame    guest → encoder  flags u8 (1: a keyframe is wanted) · sequence u32 · pts u64 µs · bits a second u32 · width u16
 *                                    · height u16 · NV12
 *     0x11 unit     encoder → guest  flags u8 (1 key) · sequence u32 · pts u64 µs · dropped u32 · H.264 access unit, Annex B
 *     0x12 dropped  encoder → guest  sequence u32 · dropped u32
 *     0x13 failed   encoder → guest  sequence u32 · why, UTF-8
 *
 * The hello comes first, once, and with 10 s to come; it is at most {@link helloBytesAtMost} long. Each frame has one answer, in the order of the frames that were taken; a dropped one is answered at once.
 * `dropped` counts this screen's frames that were not encoded because {@link slotsAScreen} were under way. NV12 is width × height bytes
 * of brightness and half as many of colour, without padding (1080p: 3.1 MB, 186 MB/s at 60 a second); both sizes are even.
 */

export const remoteFramesVersion = 1;

/** So many frames of a screen may be under way: one being encoded, one arriving, one between. More would only be older. */
export const slotsAScreen = 3;

/** A side of a picture: what H.264's level 6.2 allows. */
const sideAtMost = 8192;
/** A frame of the largest sides would be 100 MB; no screen is both as wide and as high. */
export const messageBytesAtMost = 64 * 1024 * 1024;
/** What somebody may send who has not shown the token. */
export const helloBytesAtMost = 1024;

export const messageType = { hello: 0x01, frame: 0x02, unit: 0x11, dropped: 0x12, failed: 0x13 } as const;

export interface Hello {
  type: 'hello';
  version: number;
  /** Frames a second at most. */
  fps: number;
  screen: string;
  /** Whoever has it may have frames encoded: never in logs. */
  token: string;
}

/** A raw picture that is to be encoded. */
export interface RawFrame {
  type: 'frame';
  wantsKey: boolean;
  /** Grows with each frame of the screen, dropped ones too; wraps at 2^32. */
  sequence: number;
  ptsMicroseconds: bigint;
  /** What may come of it, in bits a second. */
  bitrate: number;
  width: number;
  height: number;
  /** NV12. */
  data: Uint8Array;
}

export type FrameAnswer =
  | { type: 'unit'; key: boolean; sequence: number; ptsMicroseconds: bigint; dropped: number; data: Uint8Array }
  | { type: 'dropped'; sequence: number; dropped: number }
  | { type: 'failed'; sequence: number; why: string };

/** What came is not of this format: the connection ends. */
export class BadMessageError extends Error {
  constructor(why: string) {
    super(`this is no message of remote frames: ${why}`);
    this.name = 'BadMessageError';
  }
}

/** How many bytes a picture of that size has. @throws BadMessageError for a size that there cannot be */
export function nv12Bytes(width: number, height: number): number {
  const isSide = (side: number) => side >= 2 && side <= sideAtMost && side % 2 === 0;
  if (!isSide(width) || !isSide(height)) {
    throw new BadMessageError(`a picture of ${width}×${height} (valid: even sides from 2 to ${sideAtMost})`);
  }
  return (width * height * 3) / 2;
}

/** The message, and what comes after it: a picture is not copied. */
export function encodeMessage(message: Hello | RawFrame | FrameAnswer): Uint8Array[] {
  switch (message.type) {
    case 'hello': {
      const screen = Buffer.from(message.screen, 'utf8');
      if (screen.length > 255) throw new BadMessageError('a name of more than 255 bytes');
      return framed(messageType.hello, 3, [screen, Buffer.from(message.token, 'utf8')], (head) => {
        head.writeUInt8(message.version, 0);
        head.writeUInt8(message.fps, 1);
        head.writeUInt8(screen.length, 2);
      });
    }
    case 'frame':
      return framed(messageType.frame, 21, [message.data], (head) => {
        head.writeUInt8(message.wantsKey ? 1 : 0, 0);
        head.writeUInt32BE(message.sequence >>> 0, 1);
        head.writeBigUInt64BE(message.ptsMicroseconds, 5);
        head.writeUInt32BE(message.bitrate, 13);
        head.writeUInt16BE(message.width, 17);
        head.writeUInt16BE(message.height, 19);
      });
    case 'unit':
      return framed(messageType.unit, 17, [message.data], (head) => {
        head.writeUInt8(message.key ? 1 : 0, 0);
        head.writeUInt32BE(message.sequence >>> 0, 1);
        head.writeBigUInt64BE(message.ptsMicroseconds, 5);
        head.writeUInt32BE(message.dropped >>> 0, 13);
      });
    case 'dropped':
      return framed(messageType.dropped, 8, [], (head) => {
        head.writeUInt32BE(message.sequence >>> 0, 0);
        head.writeUInt32BE(message.dropped >>> 0, 4);
      });
    case 'failed':
      return framed(messageType.failed, 4, [Buffer.from(message.why, 'utf8')], (head) => {
        head.writeUInt32BE(message.sequence >>> 0, 0);
      });
  }
}

/**
 * Reads one message, without its length. `data` is a view of `bytes`, not a copy.
 *
 * @throws BadMessageError
 */
export function decodeMessage(bytes: Buffer): Hello | RawFrame | FrameAnswer {
  const type = bytes[0];
  const body = bytes.subarray(1);
  switch (type) {
    case messageType.hello: {
      atLeast(body, 3);
      const nameEnd = 3 + body.readUInt8(2);
      atLeast(body, nameEnd);
      const screen = body.toString('utf8', 3, nameEnd);
      const [version, fps] = [body.readUInt8(0), body.readUInt8(1)];
      return { type: 'hello', version, fps, screen, token: body.toString('utf8', nameEnd) };
    }
    case messageType.frame: {
      atLeast(body, 21);
      const [width, height] = [body.readUInt16BE(17), body.readUInt16BE(19)];
      const data = body.subarray(21);
      const expected = nv12Bytes(width, height);
      if (data.length !== expected)
        throw new BadMessageError(`a picture of ${width}×${height} has ${expected} bytes, not ${data.length}`);
      const wantsKey = (body.readUInt8(0) & 1) === 1;
      return {
        type: 'frame',
        wantsKey,
        sequence: body.readUInt32BE(1),
        ptsMicroseconds: body.readBigUInt64BE(5),
        bitrate: body.readUInt32BE(13),
        width,
        height,
        data,
      };
    }
    case messageType.unit:
      atLeast(body, 17);
      return {
        type: 'unit',
        key: (body.readUInt8(0) & 1) === 1,
        sequence: body.readUInt32BE(1),
        ptsMicroseconds: body.readBigUInt64BE(5),
        dropped: body.readUInt32BE(13),
        data: body.subarray(17),
      };
    case messageType.dropped:
      atLeast(body, 8);
      return { type: 'dropped', sequence: body.readUInt32BE(0), dropped: body.readUInt32BE(4) };
    case messageType.failed:
      atLeast(body, 4);
      return { type: 'failed', sequence: body.readUInt32BE(0), why: body.toString('utf8', 4) };
    default:
      throw new BadMessageError(`its type is ${type}`);
  }
}

function framed(
  type: number,
  headBytes: number,
  rest: readonly Uint8Array[],
  write: (head: Buffer) => void,
): Uint8Array[] {
  const head = Buffer.alloc(5 + headBytes);
  const restBytes = rest.reduce((sum, part) => sum + part.byteLength, 0);
  head.writeUInt32BE(1 + headBytes + restBytes, 0);
  head.writeUInt8(type, 4);
  write(head.subarray(5));
  return [head, ...rest];
}

function atLeast(body: Buffer, length: number): void {
  if (body.length < length) throw new BadMessageError(`it has ${body.length} bytes, its head alone ${length}`);
}

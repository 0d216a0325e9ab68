/**
 * The wire format between a Desktop and its viewers (docs/architecture.md, "Desktops"): binary frames, big-endian, the type in byte 0;
 * JSON text frames for control. This file is its only implementation: the host, the viewer page and the tests use it, so it needs
 * nothing of Node or of a browser but DataView.
 */

/** The version of this format, said in `hello`. */
export const protocolVersion = 1;

/** The first byte of each binary frame. */
export const frameType = {
  video: 0x01,
  audio: 0x02,
  patch: 0x03,
  key: 0x10,
  button: 0x11,
  pointer: 0x12,
  motion: 0x13,
  wheel: 0x14,
  text: 0x15,
  ack: 0x20,
} as const;

/** How the picture is encoded. 1: H.264, one Annex-B access unit a frame. */
export const codecs = { h264: 1 } as const;

const videoHeaderBytes = 20;
const audioHeaderBytes = 16;
const patchHeaderBytes = 20;
/** What a viewer says (JSON) may have so many bytes: the connection of one that says more ends. */
export const viewerMessageAtMost = 1024 * 1024;
/** A text that is typed comes in pieces of at most so many bytes. */
export const textAtMost = 4096;

/** One access unit on its way to a viewer. `ptsMicroseconds`: when the screen was grabbed, on the host's clock. */
export interface VideoFrame {
  type: 'video';
  key: boolean;
  codec: number;
  /** Grows by one with each picture of the encoder, skipped ones too; wraps at 2^32. */
  sequence: number;
  ptsMicroseconds: bigint;
  width: number;
  height: number;
  data: Uint8Array;
}

/**
 * A small change of the screen, exactly as it is there, to be put over the picture. It counts as one: it has a number among those of
 * the video, is acknowledged as they are, and is of no use without what came before. Video with a later number shows it, too.
 */
export interface PatchFrame {
  type: 'patch';
  sequence: number;
  ptsMicroseconds: bigint;
  /** Where its upper left corner goes, in pixels of the screen. */
  x: number;
  y: number;
  /** A PNG. */
  data: Uint8Array;
}

/** 20 ms of what the Desktop plays. Nothing is sent while it is silent, or to a viewer that is behind. */
export interface AudioFrame {
  type: 'audio';
  /** Grows by one with each packet of the encoder; wraps at 2^32. Of its own, and not acknowledged. */
  sequence: number;
  /** When it began to play, on the clock of the video's. */
  ptsMicroseconds: bigint;
  /** One Opus packet: stereo, 48 kHz. */
  data: Uint8Array;
}

/** What a person does. Pointer positions are of 65535, whatever the size of the screen; wheel and motion are in pixels. */
export type Input =
  | { type: 'key'; down: boolean; keysym: number }
  | { type: 'button'; down: boolean; button: number }
  | { type: 'pointer'; x: number; y: number }
  | { type: 'motion'; dx: number; dy: number }
  | { type: 'wheel'; dx: number; dy: number }
  | { type: 'text'; text: string };

/** The picture up to this one has reached the viewer. */
export interface Acknowledgement {
  type: 'ack';
  sequence: number;
}

/** What is said beside the picture, host to viewer. */
export type ServerMessage =
  /** The first of a connection, and again when the size, the codec or the mode has changed: what comes next begins with a keyframe. */
  | {
      type: 'hello';
      v: number;
      desktop: string;
      width: number;
      height: number;
      codec: 'h264' | 'jpeg';
      mode: ViewerMode;
    }
  /** The pointer: where it is (of 65535), and what it looks like when that has changed (a PNG, base64; the hot spot in its pixels). */
  | { type: 'cursor'; x: number; y: number; visible: boolean; image?: { png: string; hotX: number; hotY: number } }
  /** Who controls. `name` null: no person does, so that the agent may. `you`: this very viewer. */
  | { type: 'controller'; name: string | null; you: boolean }
  /** Who is watching, this viewer included. */
  | { type: 'viewers'; names: string[] }
  /** Video is sent to this viewer, or not and why. Bits a second of the encoder. */
  | { type: 'video'; enabled: boolean; bitrate: number; reason?: VideoOffReason }
  /**
   * This Desktop can be heard, and is sent to this viewer or not. Said after each `hello` of a new connection, where nothing is sent before
   * it is asked for, and whenever it was. A Desktop without sound says nothing of it.
   */
  | { type: 'sound'; enabled: boolean }
  | { type: 'clipboard'; text: string }
  | { type: 'pong'; t: number }
  /** A token of the same link that lasts longer: the page uses it when it has to reconnect. */
  | { type: 'token'; token: string }
  /** The connection ends after it, except for `bad_frame` and `forbidden`. */
  | { type: 'error'; code: ErrorCode; message: string };

/** Why a viewer gets stills: it asked, it cannot keep up at the lowest bitrate, or the host has no encoder. */
export type VideoOffReason = 'asked' | 'slow' | 'no_encoder';

/** What a viewer may do. */
export type ViewerMode = 'watch' | 'control';

/** Why a viewer is refused or dropped. `unavailable`: trying again may help; the others last. */
export type ErrorCode = 'unauthorised' | 'forbidden' | 'expired' | 'revoked' | 'stopped' | 'unavailable' | 'bad_frame';

/** What a viewer says. The token travels in the first message, never in a query string. */
export type ViewerMessage =
  | { type: 'auth'; token: string }
  | { type: 'ping'; t: number }
  | { type: 'set_video_enabled'; enabled: boolean }
  /** Only to a host that has said `sound`. */
  | { type: 'set_sound_enabled'; enabled: boolean }
  | { type: 'request_control' }
  | { type: 'release_control' }
  | { type: 'resize'; width: number; height: number }
  | { type: 'clipboard'; text: string };

/** A frame that is not of this format: too short, of an unknown type, or with a value out of its range. */
export class BadFrameError extends Error {
  constructor(why: string) {
    super(`this is no frame of the protocol: ${why}`);
    this.name = 'BadFrameError';
  }
}

/** 0x01: type u8 · flags u8 (1 key) · codec u8 · 0 · sequence u32 · pts u64 µs · width u16 · height u16 · access unit. */
export function encodeVideo(frame: Omit<VideoFrame, 'type'>): Uint8Array {
  return mediaFrame(frameType.video, videoHeaderBytes, frame, (view) => {
    view.setUint8(1, frame.key ? 1 : 0);
    view.setUint8(2, frame.codec);
    view.setUint16(16, frame.width);
    view.setUint16(18, frame.height);
  });
}

/** 0x02: type u8 · flags u8 · 0 u16 · sequence u32 · pts u64 µs · Opus packet. */
export function encodeAudio(frame: Omit<AudioFrame, 'type'>): Uint8Array {
  return mediaFrame(frameType.audio, audioHeaderBytes, frame, () => {});
}

/** 0x03: type u8 · 0 u8 · 0 u16 · sequence u32 · pts u64 µs · x u16 · y u16 · PNG. */
export function encodePatch(frame: Omit<PatchFrame, 'type'>): Uint8Array {
  return mediaFrame(frameType.patch, patchHeaderBytes, frame, (view) => {
    view.setUint16(16, frame.x);
    view.setUint16(18, frame.y);
  });
}

/**
 * Reads what a host sends. `data` is a view of `bytes`, not a copy.
 *
 * @throws BadFrameError
 */
export function decodeMedia(bytes: Uint8Array): VideoFrame | AudioFrame | PatchFrame {
  const view = viewOf(bytes);
  const type = typeOf(bytes);
  const common = (headerBytes: number) => {
    atLeast(bytes, headerBytes);
    return {
      sequence: view.getUint32(4),
      ptsMicroseconds: view.getBigUint64(8),
      data: bytes.subarray(headerBytes),
    };
  };
  if (type === frameType.video)
    return {
      type: 'video',
      ...common(videoHeaderBytes),
      key: (view.getUint8(1) & 1) === 1,
      codec: view.getUint8(2),
      width: view.getUint16(16),
      height: view.getUint16(18),
    };
  if (type === frameType.audio) return { type: 'audio', ...common(audioHeaderBytes) };
  if (type === frameType.patch)
    return { type: 'patch', ...common(patchHeaderBytes), x: view.getUint16(16), y: view.getUint16(18) };
  throw unknownType(type);
}

/**
 * What a viewer sends: input, or that a picture has arrived.
 *
 * @throws RangeError for a text of more than {@link textAtMost} bytes
 */
export function encodeInput(input: Input | Acknowledgement): Uint8Array {
  switch (input.type) {
    case 'key':
      return written(6, frameType.key, (view) => {
        view.setUint8(1, input.down ? 1 : 0);
        view.setUint32(2, input.keysym >>> 0);
      });
    case 'button':
      return written(3, frameType.button, (view) => {
        view.setUint8(1, input.down ? 1 : 0);
        view.setUint8(2, input.button);
      });
    case 'pointer':
      return written(5, frameType.pointer, (view) => {
        view.setUint16(1, clamped(input.x, 0, 65535));
        view.setUint16(3, clamped(input.y, 0, 65535));
      });
    case 'motion':
    case 'wheel':
      return written(5, frameType[input.type], (view) => {
        view.setInt16(1, clamped(input.dx, -32768, 32767));
        view.setInt16(3, clamped(input.dy, -32768, 32767));
      });
    case 'text': {
      const text = new TextEncoder().encode(input.text);
      if (text.byteLength > textAtMost)
        throw new RangeError(`a text of more than ${textAtMost} bytes is sent in pieces`);
      const bytes = new Uint8Array(1 + text.byteLength);
      bytes[0] = frameType.text;
      bytes.set(text, 1);
      return bytes;
    }
    case 'ack':
      return written(5, frameType.ack, (view) => view.setUint32(1, input.sequence >>> 0));
  }
}

/**
 * Reads what a viewer sends. It may have been made by anybody who holds a link, so that its length and values are checked.
 *
 * @throws BadFrameError
 */
export function decodeInput(bytes: Uint8Array): Input | Acknowledgement {
  const view = viewOf(bytes);
  const type = typeOf(bytes);
  switch (type) {
    case frameType.key:
      exactly(bytes, 6);
      return { type: 'key', down: isDown(view), keysym: view.getUint32(2) };
    case frameType.button:
      exactly(bytes, 3);
      return { type: 'button', down: isDown(view), button: view.getUint8(2) };
    case frameType.pointer:
      exactly(bytes, 5);
      return { type: 'pointer', x: view.getUint16(1), y: view.getUint16(3) };
    case frameType.motion:
      exactly(bytes, 5);
      return { type: 'motion', dx: view.getInt16(1), dy: view.getInt16(3) };
    case frameType.wheel:
      exactly(bytes, 5);
      return { type: 'wheel', dx: view.getInt16(1), dy: view.getInt16(3) };
    case frameType.text:
      return { type: 'text', text: textOf(bytes) };
    case frameType.ack:
      exactly(bytes, 5);
      return { type: 'ack', sequence: view.getUint32(1) };
    default:
      throw unknownType(type);
  }
}

/** True when `a` was numbered after `b`, by numbers that wrap at 2^32 (RFC 1982). */
export function isLater(a: number, b: number): boolean {
  const ahead = (a - b) >>> 0;
  return ahead !== 0 && ahead < 2 ** 31;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function typeOf(bytes: Uint8Array): number {
  const [type] = bytes;
  if (type === undefined) throw new BadFrameError('it is empty');
  return type;
}

/** What all media frames have: the number and the time where they are in each, and what they carry behind the head. */
function mediaFrame(
  type: number,
  headerBytes: number,
  { sequence, ptsMicroseconds, data }: Pick<VideoFrame, 'sequence' | 'ptsMicroseconds' | 'data'>,
  writeRest: (view: DataView) => void,
): Uint8Array {
  return written(headerBytes + data.byteLength, type, (view) => {
    view.setUint32(4, sequence >>> 0);
    view.setBigUint64(8, ptsMicroseconds);
    writeRest(view);
    new Uint8Array(view.buffer).set(data, headerBytes);
  });
}

function written(length: number, type: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = type;
  write(viewOf(bytes));
  return bytes;
}

function clamped(value: number, least: number, most: number): number {
  return Math.min(Math.max(Math.round(value), least), most);
}

function isDown(view: DataView): boolean {
  const down = view.getUint8(1);
  if (down > 1) throw new BadFrameError(`"down" is ${down} (valid: 0, 1)`);
  return down === 1;
}

function textOf(bytes: Uint8Array): string {
  if (bytes.byteLength > 1 + textAtMost) throw new BadFrameError(`its text has more than ${textAtMost} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(1));
  } catch {
    throw new BadFrameError('its text is not UTF-8');
  }
}

function atLeast(bytes: Uint8Array, length: number): void {
  if (bytes.byteLength < length) throw new BadFrameError(`it has ${bytes.byteLength} bytes, its head alone ${length}`);
}

function exactly(bytes: Uint8Array, length: number): void {
  if (bytes.byteLength !== length) throw new BadFrameError(`it has ${bytes.byteLength} bytes instead of ${length}`);
}

function unknownType(type: number): BadFrameError {
  return new BadFrameError(`its type is 0x${type.toString(16).padStart(2, '0')}`);
}

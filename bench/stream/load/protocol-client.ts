import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';
import {
  decodeMedia,
  encodeInput,
  type Input,
  type PatchFrame,
  type ServerMessage,
  type VideoFrame,
  type ViewerMessage,
} from '../../../sandbox/protocol.ts';

/** A viewer without a page: it speaks the wire format, acknowledges each picture at once and decodes none. */
export interface ProtocolClient {
  /** Settles with the first `hello`; fails when the connection ends before. */
  readonly welcomed: Promise<void>;
  /** Pictures and patches so far, and how many of them were keyframes. */
  readonly pictures: number;
  readonly keyframes: number;
  /** Everything said to it beside pictures, oldest first. */
  readonly heard: readonly { at: number; message: ServerMessage }[];
  /** A hash of every sixteenth picture by its sequence: the same for all viewers that one encoder serves. */
  readonly hashes: ReadonlyMap<number, string>;
  /** Is called with each picture from now on; `at` is performance.now(). */
  onPicture(listener: (frame: VideoFrame | PatchFrame, at: number) => void): void;
  say(message: ViewerMessage): void;
  input(input: Input): void;
  close(): Promise<void>;
}

/** Hashing all of them for fifty viewers would take longer than what is measured. */
const hashedEvery = 16;
const hashesKept = 100;

/** Opens a viewer's connection. `url`: `ws://…/d/{desktop}/stream`. */
export function connectViewer(url: string, token: string): ProtocolClient {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const heard: { at: number; message: ServerMessage }[] = [];
  const hashes = new Map<number, string>();
  const listeners: ((frame: VideoFrame | PatchFrame, at: number) => void)[] = [];
  let pictures = 0;
  let keyframes = 0;
  const { promise: welcomed, resolve: welcome, reject } = Promise.withResolvers<void>();
  // Whoever does not wait for it sees that no picture comes.
  welcomed.catch(() => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));

  socket.on('open', () => say({ type: 'auth', token }));
  socket.on('error', (error) => reject(error));
  socket.on('close', (code) =>
    reject(new Error(`the stream ended with ${code}: ${JSON.stringify(heard.at(-1)?.message)}`)),
  );
  socket.on('message', (data, binary) => {
    const at = performance.now();
    if (!binary) {
      const message = JSON.parse(String(data)) as ServerMessage;
      // A token that replaces ours is not kept: it would lie in a list that is printed when something fails.
      if (message.type !== 'token') heard.push({ at, message });
      if (message.type === 'hello') welcome();
      return;
    }
    const frame = decodeMedia(data as Buffer);
    if (frame.type === 'audio') return;
    socket.send(encodeInput({ type: 'ack', sequence: frame.sequence }));
    pictures += 1;
    if (frame.type === 'video' && frame.key) keyframes += 1;
    for (const listener of listeners) listener(frame, at);
    if (frame.sequence % hashedEvery !== 0) return;
    hashes.set(frame.sequence, createHash('sha1').update(frame.data).digest('base64'));
    const [oldest] = hashes.keys();
    if (hashes.size > hashesKept && oldest !== undefined) hashes.delete(oldest);
  });

  function say(message: ViewerMessage): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }
  return {
    welcomed,
    heard,
    hashes,
    get pictures() {
      return pictures;
    },
    get keyframes() {
      return keyframes;
    },
    onPicture: (listener) => void listeners.push(listener),
    say,
    input: (input) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeInput(input));
    },
    async close() {
      socket.close();
      await closed;
    },
  };
}

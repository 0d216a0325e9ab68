import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ListenOptions, type Socket } from 'node:net';
import { createMessageReader } from './read-messages.ts';
import {
  BadMessageError,
  decodeMessage,
  encodeMessage,
  type FrameAnswer,
  helloBytesAtMost,
  messageBytesAtMost,
  type RawFrame,
  remoteFramesVersion,
  slotsAScreen,
} from './wire.ts';

/** Whoever has said nothing by then is none of ours. */
const helloWithinMs = 10_000;

/** What becomes of one frame. */
export interface EncodedFrame {
  key: boolean;
  /** One H.264 access unit, Annex B. */
  data: Uint8Array;
}

/** Encodes one screen's frames, one call at a time, in their order. */
export interface FrameEncoder {
  encode(frame: RawFrame): Promise<EncodedFrame>;
  /** Called once, when the screen has gone and its last frame is done. */
  close(): void;
}

export interface FrameServerOptions {
  /** `{path}` of a UNIX socket, or `{host, port}`. */
  listen: ListenOptions;
  /** What a guest has to say; a UNIX socket in a folder of its own may do with any. */
  token: string;
  /** A screen has come. @param fps frames a second at most */
  openEncoder(screen: string, fps: number): FrameEncoder;
  /** A connection was ended for what it sent, or broke: why. */
  onError(error: Error): void;
}

/** Encodes frames for guests that have no encoder. */
export interface FrameServer extends AsyncDisposable {
  /** Screens that are connected. */
  readonly screens: number;
  /** Where it listens: for TCP, the port that it was given. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/**
 * Takes frames and answers access units (wire.ts). What comes is always read, whatever the encoders do, so that no screen holds up
 * another and a slow one drops its own frames.
 *
 * @throws Error when it cannot listen there
 */
export async function startFrameServer(options: FrameServerOptions): Promise<FrameServer> {
  const screens = new Set<Socket>();
  const server = createServer((socket) => {
    screens.add(socket);
    socket.on('close', () => screens.delete(socket));
    serveScreen(socket, options);
  });
  server.listen(options.listen);
  await once(server, 'listening');
  const address = server.address();

  async function close(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    for (const socket of screens) socket.destroy();
    await closed;
  }

  return {
    get screens() {
      return screens.size;
    },
    port: typeof address === 'object' ? address?.port : undefined,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function serveScreen(socket: Socket, { token, openEncoder, onError }: FrameServerOptions): void {
  let encoder: FrameEncoder | undefined;
  let underWay = 0;
  let dropped = 0;
  let last = Promise.resolve();

  function answer(message: FrameAnswer): void {
    if (!socket.writable) return;
    socket.cork();
    for (const part of encodeMessage(message)) socket.write(part);
    socket.uncork();
  }

  async function encode(frame: RawFrame, by: FrameEncoder): Promise<void> {
    const { sequence, ptsMicroseconds } = frame;
    // The guest has gone: nobody wants it.
    if (socket.destroyed) return;
    try {
      const { key, data } = await by.encode(frame);
      answer({ type: 'unit', key, sequence, ptsMicroseconds, dropped, data });
    } catch (error) {
      answer({ type: 'failed', sequence, why: error instanceof Error ? error.message : String(error) });
    } finally {
      underWay--;
    }
  }

  function take(frame: RawFrame, by: FrameEncoder): void {
    if (underWay === slotsAScreen) {
      dropped++;
      answer({ type: 'dropped', sequence: frame.sequence, dropped });
      return;
    }
    underWay++;
    last = last.then(() => encode(frame, by));
  }

  function greet(bytes: Buffer): FrameEncoder {
    const hello = decodeMessage(bytes);
    if (hello.type !== 'hello') throw new BadMessageError(`it begins with "${hello.type}" instead of "hello"`);
    if (hello.version !== remoteFramesVersion)
      throw new BadMessageError(`version ${hello.version} (valid: ${remoteFramesVersion})`);
    if (!isSame(hello.token, token)) throw new BadMessageError('its token is wrong');
    return openEncoder(hello.screen, hello.fps);
  }

  const late = setTimeout(() => socket.destroy(new BadMessageError('no hello came')), helloWithinMs);
  const atMost = () => (encoder ? messageBytesAtMost : helloBytesAtMost);
  const read = createMessageReader(atMost, (bytes) => {
    if (!encoder) {
      encoder = greet(bytes);
      clearTimeout(late);
      return;
    }
    const message = decodeMessage(bytes);
    if (message.type !== 'frame') throw new BadMessageError(`"${message.type}" comes from the other side`);
    take(message, encoder);
  });

  socket.on('data', (piece: Buffer) => {
    try {
      read(piece);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on('error', onError);
  socket.on('close', () => {
    clearTimeout(late);
    void last.then(() => encoder?.close());
  });
}

/** In a time that says nothing about how much of it is right. */
function isSame(said: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(said), digest(token));
}

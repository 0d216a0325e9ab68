import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { createMessageReader } from './read-messages.ts';
import {
  BadMessageError,
  decodeMessage,
  encodeMessage,
  type FrameAnswer,
  messageBytesAtMost,
  nv12Bytes,
  type RawFrame,
  remoteFramesVersion,
  slotsAScreen,
} from './wire.ts';

/** What becomes of a frame: an access unit, or nothing because three were under way. `dropped`: of this screen, until now. */
export type Encoded =
  | { kind: 'unit'; key: boolean; ptsMicroseconds: bigint; data: Uint8Array; dropped: number }
  | { kind: 'dropped'; dropped: number };

/** One screen whose frames are encoded elsewhere. */
export interface RemoteScreen extends AsyncDisposable {
  /**
   * Has a frame encoded. Never waits for an encoder that has three already: such a frame is dropped at once, and is not even sent.
   * Its bytes must stay as they are until this is settled.
   *
   * @throws BadMessageError for a picture whose size is odd, or other than its bytes
   * @throws EncodingFailedError when the encoder says so
   * @throws FramesLostError when the connection has ended
   */
  encode(frame: Omit<RawFrame, 'type' | 'sequence'>): Promise<Encoded>;
  /** Resolves with the reason when the connection has ended without {@link close}. */
  readonly lost: Promise<FramesLostError>;
  close(): Promise<void>;
}

/** The other side could not encode a frame. */
export class EncodingFailedError extends Error {
  constructor(why: string) {
    super(`the frame could not be encoded: ${why}`);
    this.name = 'EncodingFailedError';
  }
}

/** There is no connection to the encoder, or no longer. */
export class FramesLostError extends Error {
  constructor(why: string, options?: ErrorOptions) {
    super(`the connection to the encoder has ended: ${why}`, options);
    this.name = 'FramesLostError';
  }
}

/**
 * Connects one screen to an encoder (frame-server.ts).
 *
 * @param at `{path}` of a UNIX socket, or `{host, port}`
 * @param screen its name, and how many frames a second come of it at most
 * @throws Error when nothing listens there
 */
export async function connectScreen(
  at: NetConnectOpts,
  screen: { name: string; fps: number },
  token: string,
): Promise<RemoteScreen> {
  const socket = connect(at);
  await once(socket, 'connect');
  socket.setNoDelay(true);

  const waiting = new Map<number, { resolve(encoded: Encoded): void; reject(error: Error): void }>();
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<FramesLostError>();
  let sequence = 0;
  let droppedHere = 0;
  let droppedThere = 0;
  let over: FramesLostError | undefined;
  let closing = false;

  function end(reason: FramesLostError): void {
    if (over) return;
    over = reason;
    if (!closing) tellLost(reason);
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
    socket.destroy();
  }

  function settle(answer: FrameAnswer): void {
    const open = waiting.get(answer.sequence);
    if (!open) throw new BadMessageError(`an answer to frame ${answer.sequence}, which is not under way`);
    waiting.delete(answer.sequence);
    if (answer.type === 'failed') {
      open.reject(new EncodingFailedError(answer.why));
      return;
    }
    droppedThere = answer.dropped;
    const dropped = droppedHere + droppedThere;
    if (answer.type === 'dropped') {
      open.resolve({ kind: 'dropped', dropped });
      return;
    }
    const { key, ptsMicroseconds, data } = answer;
    open.resolve({ kind: 'unit', key, ptsMicroseconds, data, dropped });
  }

  const read = createMessageReader(
    () => messageBytesAtMost,
    (bytes) => {
      const message = decodeMessage(bytes);
      if (message.type === 'hello' || message.type === 'frame')
        throw new BadMessageError(`"${message.type}" comes from this side`);
      settle(message);
    },
  );
  socket.on('data', (piece: Buffer) => {
    try {
      read(piece);
    } catch (error) {
      end(new FramesLostError(error instanceof Error ? error.message : String(error), { cause: error }));
    }
  });
  socket.on('error', (error) => end(new FramesLostError(error.message, { cause: error })));
  socket.on('close', () => end(new FramesLostError(closing ? 'it was closed' : 'the other side has closed it')));

  function write(parts: readonly Uint8Array[]): void {
    socket.cork();
    for (const part of parts) socket.write(part);
    socket.uncork();
  }

  write(encodeMessage({ type: 'hello', version: remoteFramesVersion, fps: screen.fps, screen: screen.name, token }));

  async function close(): Promise<void> {
    closing = true;
    if (socket.destroyed) return;
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
  }

  return {
    encode: async (frame) => {
      if (over) throw over;
      const expected = nv12Bytes(frame.width, frame.height);
      if (frame.data.byteLength !== expected)
        throw new BadMessageError(`a picture of ${frame.width}×${frame.height} has ${expected} bytes`);
      sequence = (sequence + 1) >>> 0;
      if (waiting.size >= slotsAScreen) {
        droppedHere++;
        return { kind: 'dropped', dropped: droppedHere + droppedThere };
      }
      const answered = new Promise<Encoded>((resolve, reject) => {
        waiting.set(sequence, { resolve, reject });
      });
      write(encodeMessage({ type: 'frame', ...frame, sequence }));
      return answered;
    },
    lost,
    close,
    [Symbol.asyncDispose]: close,
  };
}

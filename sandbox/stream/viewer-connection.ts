import { WebSocket } from 'ws';
import {
  type Acknowledgement,
  BadFrameError,
  decodeInput,
  type ErrorCode,
  type Input,
  type ServerMessage,
  type ViewerMessage,
} from '../protocol.ts';
import type { ViewerDial, ViewerPerson } from './streamer.ts';
import { messageBytesAtMost, readViewerMessage } from './viewer-message.ts';

/** What a viewer's connection tells. */
export interface ViewerListener {
  connected(): void;
  said(message: ViewerMessage): void;
  did(input: Input): void;
  acknowledged(acknowledgement: Acknowledgement): void;
  /** It is over, whoever ended it. Told once, also when it never came to be. */
  gone(): void;
}

/** The connection to one viewer's page, by way of the core process that holds it. */
export interface ViewerConnection {
  readonly person: ViewerPerson;
  send(message: ServerMessage): void;
  sendFrame(frame: Uint8Array): void;
  /** What has not left this process yet. */
  readonly bufferedBytes: number;
  /** Tells the page why not; the connection stays. */
  refuse(code: ErrorCode, message: string): void;
  close(): void;
}

/** So many frames that are none, and the connection is ended: a broken page, or no page at all. */
const badFramesAtMost = 20;
/** A page that sends what it may not sends it a hundred times a second: it is told once in a while. */
const refuseEveryMs = 500;
/** Whoever has not answered one ping when the next is due is gone, whatever TCP believes. */
const pingEveryMs = 15_000;
const connectWithinMs = 10_000;
/** WebSocket close codes (RFC 6455, section 7.4.1). */
const goingAway = 1001;
const policyViolation = 1008;

/** Dials the viewer where it waits, and speaks the wire format with it. */
export function dialViewer({ url, ticket, person }: ViewerDial, listener: ViewerListener): ViewerConnection {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${ticket}` },
    perMessageDeflate: false,
    maxPayload: messageBytesAtMost,
    handshakeTimeout: connectWithinMs,
    // A client masks what it sends, so that a hostile page cannot make it write another protocol's bytes to a proxy. There is no page on
    // this side, and a mask of zeros is one that neither end has to compute: half the work for a picture that goes to fifty viewers.
    generateMask: (mask) => mask.fill(0),
  });
  let badFrames = 0;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let answered = true;

  const pings = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, pingEveryMs);

  function send(message: ServerMessage): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  function refuse(code: ErrorCode, message: string): void {
    const now = performance.now();
    if (now - refusedAt < refuseEveryMs) return;
    refusedAt = now;
    send({ type: 'error', code, message });
  }

  function receive(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      listener.said(readViewerMessage(data.toString('utf8')));
      return;
    }
    const input = decodeInput(data);
    if (input.type === 'ack') listener.acknowledged(input);
    else listener.did(input);
  }

  socket.on('open', listener.connected);
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('message', (data, isBinary) => {
    try {
      receive(data as Buffer, isBinary);
    } catch (error) {
      if (!(error instanceof BadFrameError)) throw error;
      badFrames += 1;
      refuse('bad_frame', error.message);
      if (badFrames > badFramesAtMost) socket.close(policyViolation, 'too many bad frames');
    }
  });
  // Why it broke is of no use here: the core asks for it anew while the viewer waits.
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    clearInterval(pings);
    listener.gone();
  });

  return {
    person,
    send,
    sendFrame(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame, { binary: true });
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    refuse,
    close: () => socket.close(goingAway, 'the desktop is being closed'),
  };
}

import {
  type Acknowledgement,
  type AudioFrame,
  BadFrameError,
  decodeMedia,
  type ErrorCode,
  encodeInput,
  type Input,
  type PatchFrame,
  type ServerMessage,
  type VideoFrame,
  type ViewerMessage,
} from '../../sandbox/protocol.ts';
import type { LinkToken } from './link-token.ts';
import { createPings, type Pings, pingEveryMs } from './pings.ts';
import { readServerMessage } from './read-server-message.ts';
import { createReconnectBudget } from './reconnect-budget.ts';

/** A Desktop may have to be started first. */
const helloWithinMs = 30_000;
/** Nothing at all for so long, though pings were sent: the connection is gone, whatever the socket says. */
const silentAtMostMs = 12_000;
/** A page that comes back from the background asks whether its connection still lives, and waits this long. */
const awakeWithinMs = 3000;

/** Why there will be no further attempt. `unreachable`: all attempts are used up. `no_token`: the address had none. */
export type End = Exclude<ErrorCode, 'forbidden' | 'bad_frame' | 'unavailable'> | 'unreachable' | 'no_token';

/** What a connection tells. */
export interface ConnectionListener {
  message(message: ServerMessage): void;
  media(frame: VideoFrame | PatchFrame | AudioFrame): void;
  /** Milliseconds there and back, every second; a missing answer counts by its age. */
  roundTrip(ms: number): void;
  /** It is lost and will be tried again. `why`: what the server said, if it said anything. */
  lost(why: string | null): void;
  ended(end: End): void;
}

/**
 * The one owner of the socket and of every decision to open another: whoever finds that something is wrong says so here. It makes up to
 * fifteen attempts; {@link painted} gives them back.
 */
export class Connection {
  readonly #url: string;
  readonly #token: LinkToken;
  readonly #listener: ConnectionListener;
  readonly #budget = createReconnectBudget();
  #socket: WebSocket | null = null;
  #pings: Pings = createPings();
  #greeted = false;
  #heardAt = 0;
  #deadline = 0;
  #ended = false;
  /** What the server said of an end that may pass. */
  #why: string | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;

  constructor(url: string, token: LinkToken, listener: ConnectionListener) {
    this.#url = url;
    this.#token = token;
    this.#listener = listener;
  }

  open(): void {
    if (this.#token.value === null) {
      this.#end('no_token');
      return;
    }
    this.#beat ??= setInterval(() => this.#check(), pingEveryMs);
    this.#connect(this.#token.value);
  }

  send(message: ViewerMessage): void {
    if (this.#isOpen()) this.#socket?.send(JSON.stringify(message));
  }

  input(input: Input | Acknowledgement): void {
    if (this.#isOpen()) this.#socket?.send(encodeInput(input) as Uint8Array<ArrayBuffer>);
  }

  /** There is a picture on the screen: all attempts are available again. */
  painted(): void {
    this.#budget.reset();
  }

  /** The person doesn't want to wait for the next attempt, or wants more of them. */
  tryNow(): void {
    if (this.#socket !== null) return;
    this.#ended = false;
    this.#budget.reset();
    clearTimeout(this.#retry);
    this.open();
  }

  /** The page was in the background or the network has changed: is anybody there? */
  awake(): void {
    if (this.#socket === null && this.#retry !== undefined) this.tryNow();
    if (!this.#greeted) return;
    this.#deadline = performance.now() + awakeWithinMs;
    this.send({ type: 'ping', t: this.#pings.sent() });
  }

  #isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect(token: string): void {
    this.#retry = undefined;
    this.#greeted = false;
    this.#pings = createPings();
    this.#why = null;
    this.#heardAt = performance.now();
    this.#deadline = 0;
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => this.send({ type: 'auth', token });
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (socket === this.#socket) this.#hear(data);
    };
    socket.onclose = () => this.#lose(socket);
  }

  #hear(data: string | ArrayBuffer): void {
    this.#heardAt = performance.now();
    this.#deadline = 0;
    try {
      if (typeof data !== 'string') {
        this.#listener.media(decodeMedia(new Uint8Array(data)));
        return;
      }
      const message = readServerMessage(data);
      if (message) this.#understand(message);
    } catch (error) {
      if (!(error instanceof BadFrameError) && !(error instanceof SyntaxError)) throw error;
      // A newer server may send what this page doesn't know; the rest still makes sense.
      console.warn(error.message);
    }
  }

  #understand(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        this.#greeted = true;
        this.#pings = createPings();
        break;
      case 'pong': {
        const ms = this.#pings.answered(message.t);
        if (ms !== null) this.#listener.roundTrip(ms);
        return;
      }
      case 'token':
        this.#token.replace(message.token);
        return;
      case 'error':
        if (message.code === 'unavailable') this.#why = message.message;
        else if (message.code !== 'forbidden' && message.code !== 'bad_frame') {
          this.#end(message.code);
          return;
        }
        break;
    }
    this.#listener.message(message);
  }

  /** Every second: asks how far away the server is, and whether it is there at all. */
  #check(): void {
    if (this.#socket === null) return;
    const now = performance.now();
    const silent = now - this.#heardAt;
    const waiting = this.#pings.waiting();
    // In the background this runs once a minute, so that silence alone says nothing: a question must be open.
    const isSilent = this.#greeted ? Math.min(silent, waiting) > silentAtMostMs : silent > helloWithinMs;
    if (isSilent || (this.#deadline > 0 && now > this.#deadline)) {
      this.#lose(this.#socket);
      return;
    }
    if (!this.#greeted) return;
    if (waiting > pingEveryMs / 2) this.#listener.roundTrip(waiting);
    this.send({ type: 'ping', t: this.#pings.sent() });
  }

  #lose(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.onclose = null;
    socket.close();
    if (this.#ended) return;
    const wait = this.#budget.next();
    if (wait === null) {
      this.#end('unreachable');
      return;
    }
    this.#retry = setTimeout(() => this.open(), wait);
    this.#listener.lost(this.#why);
  }

  #end(end: End): void {
    this.#ended = true;
    clearTimeout(this.#retry);
    clearInterval(this.#beat);
    this.#beat = undefined;
    this.#retry = undefined;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#listener.ended(end);
  }
}

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  decodeInput,
  type ErrorCode,
  type Input,
  protocolVersion,
  type ServerMessage,
  type VideoOffReason,
  type ViewerMessage,
  type ViewerMode,
} from '../../sandbox/protocol.ts';
import type { Subscriber } from '../../sandbox/stream/fan-out.ts';
import { buildViewer } from '../build.ts';
import type { ListedDesktop } from '../wall/list-desktops.ts';
import { jpegOf, type Scene } from './scene.ts';
import { startStream } from './stand-in-stream.ts';

/** The token that the stand-in takes; any other is refused with the error code of the same name, or `unauthorised`. */
export const goodToken = 'good.token';

/** What the pages are served with: nothing inline, nothing from elsewhere. The core says the same. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** How the stand-in behaves; may be changed at any time. */
export interface Behaviour {
  mode: ViewerMode;
  codec: 'h264' | 'jpeg';
  /** Whether the desktop can be heard; what is played is sent by {@link StandInCore.play}. */
  sound: boolean;
  /** Each pong waits so long. */
  pongAfterMs: number;
  /** Control is given to whoever asks after so long; null: never. */
  controlAfterMs: number | null;
  /** Somebody else who controls when a viewer comes. */
  controller: string | null;
  viewers: string[];
  /** New sockets are refused. */
  isAway: boolean;
  /** Each still takes so long. */
  stillAfterMs: number;
  desktops: ListedDesktop[] | null;
}

/** A still that was asked for. */
export interface AskedStill {
  quality: number;
  width: number;
  ifNoneMatch: string | undefined;
  status: number;
}

/**
 * Core and host in one, for the viewer's tests: serves the built pages as the core does, speaks the wire format with the host's own
 * encoder and fan-out, and writes down what it hears.
 */
export interface StandInCore extends AsyncDisposable {
  readonly origin: string;
  /** The page of its one Desktop, with a good token. */
  readonly page: string;
  readonly behaviour: Behaviour;
  readonly inputs: Input[];
  readonly messages: ViewerMessage[];
  /** The numbers that were acknowledged. */
  readonly acknowledgements: number[];
  readonly stills: AskedStill[];
  /** How many sockets there have been. */
  readonly connections: number;
  /** The subscriptions of all viewers, the last one last. */
  readonly subscribers: Subscriber[];
  say(message: ServerMessage): void;
  /** A binary frame to everybody. */
  send(frame: Uint8Array): void;
  /** A packet of sound to everybody who has asked for it. */
  play(frame: Uint8Array): void;
  refuse(code: ErrorCode, message: string): void;
  decide(enabled: boolean, reason?: VideoOffReason): void;
  /** Ends all sockets at once, as a network does. */
  drop(): void;
  /** A new streamer on the same sockets: a second `hello`, and the stream from a keyframe on. */
  restartStreamer(): void;
}

export async function startStandInCore(scene: Scene, changes: Partial<Behaviour> = {}): Promise<StandInCore> {
  const folder = await buildViewer();
  const stream = await startStream(scene);
  const behaviour: Behaviour = {
    mode: 'control',
    codec: 'h264',
    sound: false,
    pongAfterMs: 0,
    controlAfterMs: 30,
    controller: null,
    viewers: ['Ada'],
    isAway: false,
    stillAfterMs: 0,
    desktops: [],
    ...changes,
  };
  const inputs: Input[] = [];
  const messages: ViewerMessage[] = [];
  const acknowledgements: number[] = [];
  const stills: AskedStill[] = [];
  const subscribers: Subscriber[] = [];
  const greeted = new Map<WebSocket, Subscriber>();
  const listening = new Set<WebSocket>();
  let connections = 0;

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (behaviour.isAway || !/^\/d\/[\w-]+\/stream$/.test(request.url ?? '')) return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket));
  });

  function accept(socket: WebSocket): void {
    connections += 1;
    const say = (message: ServerMessage) => socket.send(JSON.stringify(message));
    const control = (name: string | null, you: boolean) => say({ type: 'controller', name, you });
    socket.on('close', () => {
      greeted.get(socket)?.remove();
      greeted.delete(socket);
      listening.delete(socket);
    });
    socket.on('message', async (data: Buffer, isBinary) => {
      if (isBinary) {
        const input = decodeInput(data);
        if (input.type === 'ack') {
          acknowledgements.push(input.sequence);
          greeted.get(socket)?.acknowledge(input.sequence);
        } else inputs.push(input);
        return;
      }
      const message: ViewerMessage = JSON.parse(data.toString());
      messages.push(message);
      if (message.type === 'auth') greet(socket, message.token);
      if (message.type === 'ping') {
        await sleep(behaviour.pongAfterMs);
        say({ type: 'pong', t: message.t });
      }
      if (message.type === 'set_video_enabled') {
        greeted.get(socket)?.setEnabled(message.enabled);
        say({
          type: 'video',
          enabled: message.enabled,
          bitrate: 8_000_000,
          reason: message.enabled ? undefined : 'asked',
        });
      }
      if (message.type === 'set_sound_enabled') {
        if (message.enabled) listening.add(socket);
        else listening.delete(socket);
        say({ type: 'sound', enabled: message.enabled });
      }
      if (message.type === 'request_control' && behaviour.controlAfterMs !== null) {
        await sleep(behaviour.controlAfterMs);
        control('Ada', true);
      }
      if (message.type === 'release_control') control(null, false);
    });
  }

  function greet(socket: WebSocket, token: string): void {
    if (token !== goodToken) {
      const known: Record<string, ErrorCode> = { expired: 'expired', revoked: 'revoked', stopped: 'stopped' };
      const code = known[token] ?? 'unauthorised';
      socket.send(JSON.stringify({ type: 'error', code, message: `the token is ${code}` } satisfies ServerMessage));
      socket.close();
      return;
    }
    hello(socket);
  }

  function hello(socket: WebSocket): void {
    const say = (message: ServerMessage) => socket.send(JSON.stringify(message));
    const { codec, mode, controller, viewers, sound } = behaviour;
    greeted.get(socket)?.remove();
    listening.delete(socket);
    say({ type: 'hello', v: protocolVersion, desktop: 'd-1', width: scene.width, height: scene.height, codec, mode });
    say({ type: 'controller', name: controller, you: false });
    say({ type: 'viewers', names: viewers });
    say({
      type: 'video',
      enabled: codec === 'h264',
      bitrate: 8_000_000,
      reason: codec === 'h264' ? undefined : 'no_encoder',
    });
    if (sound) say({ type: 'sound', enabled: false });
    const subscriber = stream.fanOut.add({ send: (frame) => socket.send(frame) });
    subscriber.setEnabled(codec === 'h264');
    subscribers.push(subscriber);
    greeted.set(socket, subscriber);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://stand-in');
    if (/^\/d\/[\w-]+\/screenshot$/.test(pathname)) return await still(request, response, searchParams);
    if (pathname === '/wall/desktops') {
      if (request.headers.authorization !== `Bearer ${goodToken}`) return void response.writeHead(401).end();
      if (behaviour.desktops === null) return void response.writeHead(503).end();
      return void response.setHeader('Content-Type', 'application/json').end(JSON.stringify(behaviour.desktops));
    }
    const file = pathname.startsWith('/d/')
      ? 'index.html'
      : pathname === '/wall'
        ? 'wall.html'
        : normalize(pathname).replace(/^\/viewer\//, '');
    const body = await readFile(join(folder, file)).catch(() => null);
    if (body === null) return void response.writeHead(404).end();
    response.setHeader('Content-Type', contentTypes[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    response.end(body);
  }

  async function still(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const quality = Number(query.get('quality'));
    const width = Number(query.get('w'));
    const ifNoneMatch = request.headers['if-none-match'];
    const answer = (status: number) => {
      stills.push({ quality, width, ifNoneMatch, status });
      response.statusCode = status;
    };
    if (request.headers.authorization !== `Bearer ${goodToken}`) {
      answer(401);
      return void response.end();
    }
    const etag = `"${stream.serial}"`;
    response.setHeader('ETag', etag);
    await sleep(behaviour.stillAfterMs);
    if (ifNoneMatch === etag) {
      answer(304);
      return void response.end();
    }
    answer(200);
    response.setHeader('Content-Type', 'image/jpeg').end(await jpegOf(scene, quality, width));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const toAll = (message: ServerMessage) => {
    for (const socket of greeted.keys()) socket.send(JSON.stringify(message));
  };
  const drop = () => {
    for (const socket of sockets.clients) socket.terminate();
  };
  return {
    origin,
    page: `${origin}/d/d-1#${goodToken}`,
    behaviour,
    inputs,
    messages,
    acknowledgements,
    stills,
    subscribers,
    get connections() {
      return connections;
    },
    say: toAll,
    send(frame) {
      for (const socket of greeted.keys()) socket.send(frame);
    },
    play(frame) {
      for (const socket of listening) socket.send(frame);
    },
    refuse(code, message) {
      toAll({ type: 'error', code, message });
      if (code === 'forbidden' || code === 'bad_frame') return;
      for (const socket of greeted.keys()) socket.close();
    },
    decide(enabled, reason) {
      for (const subscriber of greeted.values()) subscriber.setEnabled(enabled);
      toAll({ type: 'video', enabled, bitrate: 500_000, reason });
    },
    drop,
    restartStreamer() {
      for (const socket of greeted.keys()) hello(socket);
    },
    async [Symbol.asyncDispose]() {
      drop();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await stream[Symbol.asyncDispose]();
    },
  };
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type AudioFrame,
  decodeMedia,
  encodeInput,
  type Input,
  type PatchFrame,
  type ServerMessage,
  type VideoFrame,
  type ViewerMessage,
  type ViewerMode,
} from '../../protocol.ts';
import type { ViewerDial } from '../streamer.ts';

/** Stands for a core process that holds viewers: streamers dial it, and each connection is a viewer's end of the wire format. */
export interface LocalCore extends AsyncDisposable {
  /** Has the streamer dial a new viewer, and resolves when that is connected. */
  join(
    streamer: { dial(viewer: ViewerDial): unknown },
    viewer?: { name?: string; mode?: ViewerMode; acknowledges?: boolean },
  ): Promise<TestViewer>;
  /** Every viewer leaves. */
  empty(): Promise<void>;
}

/** What a viewer's page sees and does. */
export interface TestViewer {
  readonly dial: ViewerDial;
  readonly messages: ServerMessage[];
  /** Every picture that has come, with when that was (performance.timeOrigin + performance.now(), in milliseconds). */
  readonly frames: (VideoFrame & { at: number })[];
  /** Every small change that came beside them. */
  readonly patches: PatchFrame[];
  /** Every packet of sound, which are there only if the viewer has asked for sound. */
  readonly packets: AudioFrame[];
  /** False: pictures are taken and not acknowledged, as by a link that is full. */
  acknowledges: boolean;
  /** Called with each picture. */
  onFrame: ((frame: VideoFrame & { at: number }) => void) | undefined;
  say(message: ViewerMessage): void;
  do(input: Input): void;
  sendRaw(data: Buffer | string): void;
  /** Waits for a message that has not been waited for yet. */
  next<T extends ServerMessage['type']>(
    type: T,
    which?: (message: Extract<ServerMessage, { type: T }>) => boolean,
  ): Promise<Extract<ServerMessage, { type: T }>>;
  /** Waits until this many packets of sound have come. */
  packetsReach(count: number): Promise<void>;
  /** Waits until this many pictures have come. */
  framesReach(count: number): Promise<void>;
  readonly closed: Promise<number>;
  leave(): Promise<void>;
}

const withinMs = 15_000;

export async function startLocalCore(): Promise<LocalCore> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const expected = new Map<string, (socket: WebSocket) => void>();

  server.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const take = expected.get(request.headers.authorization ?? '');
    expected.delete(request.headers.authorization ?? '');
    if (take) take(socket);
    else socket.close(1008, 'no such ticket');
  });

  return {
    async join(streamer, { name = 'Ada', mode = 'watch', acknowledges = true } = {}) {
      const ticket = randomUUID();
      const person = { viewer: randomUUID(), subject: null, name, mode };
      const dial: ViewerDial = { url: `ws://127.0.0.1:${port}/dialled`, ticket, person };
      const connected = new Promise<WebSocket>((resolve) => {
        expected.set(`Bearer ${ticket}`, resolve);
      });
      streamer.dial(dial);
      const socket = await within(connected, 'the streamer did not dial');
      return viewerOn(socket, dial, acknowledges);
    },
    async empty() {
      const leaving = [...server.clients].map((client) => {
        client.close();
        return once(client, 'close');
      });
      await Promise.all(leaving);
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

function viewerOn(socket: WebSocket, dial: ViewerDial, acknowledges: boolean): TestViewer {
  const messages: ServerMessage[] = [];
  const unseen: ServerMessage[] = [];
  const frames: TestViewer['frames'] = [];
  const patches: PatchFrame[] = [];
  const packets: AudioFrame[] = [];
  const watchers = new Set<() => void>();
  const viewer: TestViewer = {
    dial,
    messages,
    frames,
    patches,
    packets,
    acknowledges,
    onFrame: undefined,
    say: (message) => socket.send(JSON.stringify(message)),
    do: (input) => socket.send(encodeInput(input)),
    sendRaw: (data) => socket.send(data),
    next(type, which = () => true) {
      type Wanted = Extract<ServerMessage, { type: typeof type }>;
      const found = until(() => {
        const index = unseen.findIndex((message) => message.type === type && which(message as Wanted));
        return index === -1 ? undefined : (unseen.splice(index, 1)[0] as Wanted);
      });
      return within(found, `no "${type}" came; the last were ${JSON.stringify(messages.slice(-5))}`);
    },
    async packetsReach(count) {
      await within(
        until(() => (packets.length >= count ? true : undefined)),
        `${packets.length} packets of sound came instead of ${count}`,
      );
    },
    async framesReach(count) {
      await within(
        until(() => (frames.length >= count ? true : undefined)),
        `${frames.length} pictures came instead of ${count}`,
      );
    },
    closed: once(socket, 'close').then(([code]) => Number(code)),
    async leave() {
      socket.close();
      await viewer.closed;
    },
  };

  function until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = () => {
        const found = look();
        if (found === undefined) return;
        watchers.delete(check);
        resolve(found);
      };
      watchers.add(check);
      check();
    });
  }

  socket.on('message', (data, isBinary) => {
    if (isBinary) {
      const media = decodeMedia(data as Buffer);
      if (media.type === 'audio') packets.push(media);
      else if (viewer.acknowledges) socket.send(encodeInput({ type: 'ack', sequence: media.sequence }));
      if (media.type === 'patch') patches.push(media);
      if (media.type === 'video') {
        const frame = { ...media, at: performance.timeOrigin + performance.now() };
        frames.push(frame);
        viewer.onFrame?.(frame);
      }
    } else {
      const message = JSON.parse(String(data)) as ServerMessage;
      messages.push(message);
      unseen.push(message);
    }
    for (const check of [...watchers]) check();
  });
  return viewer;
}

async function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(otherwise)), withinMs);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(late));
}

import { WebSocket } from 'ws';
import type { DesiredDesktop, FromCore, FromHost } from '../host-messages.ts';

/** What a test may say of its Host. */
export interface StandInOptions {
  /** The core that it dials, http. */
  coreUrl: string;
  token: string;
  host?: string;
  capacity?: number;
  version?: number;
  drivers?: { name: string; works: boolean; detail: string }[];
  /** Said of a Desktop when it is to run; `running` if left out. */
  becomes?: (desktop: DesiredDesktop) => { state: 'starting' | 'running' | 'failed'; detail?: string };
  heartbeatMs?: number;
}

/** A viewer's connection, on the Host's side. */
export interface StandInViewer {
  person: { viewer: string; subject: string | null; name: string; mode: string };
  desktop: string;
  socket: WebSocket;
  /** What the viewer has sent, texts as strings. */
  received: (string | Buffer)[];
}

type ChannelHandler = (
  request: Record<string, unknown>,
  content: Buffer | undefined,
) => ChannelAnswer | Promise<ChannelAnswer>;

type ChannelAnswer = { result: Record<string, unknown>; data?: Buffer } | { error: { code: string; message: string } };

/** A Host for tests: it speaks the real link and channel over real WebSockets, and has no Desktop behind it. */
export interface StandInHost {
  readonly host: string;
  /** What the core wants to run here, as it said last. */
  desired(): DesiredDesktop[];
  /** Everything that the core has said on the link. */
  readonly said: FromCore[];
  readonly viewers: StandInViewer[];
  /** The channel's requests, in order. */
  readonly requests: Record<string, unknown>[];
  send(message: FromHost): void;
  /** Answers a method of the channel from now on. */
  answer(method: string, handler: ChannelHandler): void;
  /** The picture that stills show from now on; the serial grows. */
  draw(data: Buffer): void;
  /** Kept when the core has taken it, or refused it with this status. */
  readonly opened: Promise<number>;
  /** As SIGKILL would: all connections end at once, and it says nothing more. */
  kill(): void;
}

/** A picture that is no picture: what it holds does not matter to the core. */
export const firstPicture: Buffer = Buffer.from('a still of the screen');

/** Starts one. It reports each Desktop that it is given as running at once, unless the test says otherwise. */
export function startStandInHost(options: StandInOptions): StandInHost {
  const host = options.host ?? 'h-one';
  const said: FromCore[] = [];
  const viewers: StandInViewer[] = [];
  const requests: Record<string, unknown>[] = [];
  const handlers = new Map<string, ChannelHandler>();
  const open = new Set<WebSocket>();
  const reported = new Map<string, number>();
  let desired: DesiredDesktop[] = [];
  let serial = 1;
  let picture: Buffer = firstPicture;
  let killed = false;

  const link = new WebSocket(`${options.coreUrl.replace(/^http/, 'ws')}/hosts`, {
    headers: { authorization: `Bearer ${options.token}` },
  });
  open.add(link);
  const send = (message: FromHost) => {
    if (link.readyState === link.OPEN) link.send(JSON.stringify(message));
  };
  const beat = setInterval(() => send({ type: 'heartbeat' }), options.heartbeatMs ?? 5000);
  const { promise: opened, resolve } = Promise.withResolvers<number>();

  link.on('open', () => {
    send({
      type: 'register',
      v: options.version ?? 1,
      host: host as `h-${string}`,
      capacity: options.capacity ?? 4,
      drivers: options.drivers ?? [{ name: 'process', works: true, detail: '' }],
      encoders: [{ name: 'libx264', works: true, detail: '' }],
    });
  });
  link.on('unexpected-response', (_request, response) => {
    resolve(response.statusCode ?? 0);
    link.terminate();
  });
  link.on('error', () => undefined);
  link.on('close', () => clearInterval(beat));
  link.on('message', (data) => {
    const message = JSON.parse(String(data)) as FromCore;
    said.push(message);
    if (message.type === 'registered') resolve(101);
    if (message.type === 'desktops') reconcile(message.desktops);
    if (message.type === 'dial') dial(message);
  });

  function reconcile(wanted: DesiredDesktop[]): void {
    const gone = desired.filter(({ id }) => !wanted.some((one) => one.id === id));
    for (const one of gone) report(one, 'stopped', 'it is no longer wanted');
    desired = wanted;
    for (const one of wanted) {
      if (reported.get(one.id) === one.generation) continue;
      reported.set(one.id, one.generation);
      const { state, detail = '' } = options.becomes?.(one) ?? { state: 'running' };
      report(one, state, detail);
    }
  }

  function report(desktop: DesiredDesktop, state: 'starting' | 'running' | 'stopped' | 'failed', detail: string): void {
    const { id, generation, width, height } = desktop;
    send({
      type: 'desktop',
      id: id as `d-${string}`,
      generation,
      state,
      detail,
      driver: 'process',
      width,
      height,
      viewers: viewers.filter((viewer) => viewer.desktop === id && viewer.socket.readyState === WebSocket.OPEN).length,
    });
  }

  function dial(message: Extract<FromCore, { type: 'dial' }>): void {
    if (killed) return;
    const socket = new WebSocket(message.url, { headers: { authorization: `Bearer ${message.ticket}` } });
    open.add(socket);
    socket.on('error', () => undefined);
    if (message.kind === 'channel') {
      serveChannel(socket);
      return;
    }
    const { person } = message;
    if (!person) throw new Error('a viewer was dialled without a person');
    const viewer: StandInViewer = { person, desktop: message.desktop, socket, received: [] };
    socket.on('message', (data, isBinary) => viewer.received.push(isBinary ? (data as Buffer) : String(data)));
    socket.on('open', () => {
      viewers.push(viewer);
      socket.send(
        JSON.stringify({
          type: 'hello',
          v: 1,
          desktop: message.desktop,
          width: 1920,
          height: 1080,
          codec: 'h264',
          mode: person.mode,
        }),
      );
      socket.send(Buffer.from([1, 1, 1, 0, viewers.length]));
    });
  }

  function serveChannel(socket: WebSocket): void {
    let awaited: Record<string, unknown> | undefined;
    socket.on('message', async (data, isBinary) => {
      const request = isBinary ? awaited : JSON.parse(String(data));
      if (!request) throw new Error('bytes that nobody announced');
      awaited = !isBinary && Number(request.bytes) > 0 ? request : undefined;
      if (awaited) return;
      requests.push(request);
      const answered = await (handlers.get(String(request.method)) ?? usual)(
        request,
        isBinary ? (data as Buffer) : undefined,
      );
      if ('error' in answered) return socket.send(JSON.stringify({ id: request.id, error: answered.error }));
      const { result, data: content } = answered;
      socket.send(JSON.stringify({ id: request.id, result, bytes: content?.byteLength ?? 0 }));
      if (content && content.byteLength > 0) socket.send(content);
    });
  }

  const usual: ChannelHandler = (request) => {
    switch (request.method) {
      case 'still':
        return {
          result: { serial, width: 1280, height: 720, format: request.format },
          ...(request.unless === serial ? {} : { data: picture }),
        };
      case 'run':
        return {
          result: { exitCode: 0, stdout: `ran ${request.command}`, stderr: '', truncated: false, timedOut: false },
        };
      case 'clip':
        return { result: {}, data: Buffer.from(`the last ${request.seconds} seconds`) };
      default:
        return { result: {} };
    }
  };

  return {
    host,
    desired: () => desired,
    said,
    viewers,
    requests,
    send,
    answer: (method, handler) => void handlers.set(method, handler),
    draw(data) {
      picture = data;
      serial += 1;
    },
    opened,
    kill() {
      killed = true;
      clearInterval(beat);
      for (const socket of open) socket.terminate();
    },
  };
}

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import {
  type ChannelReply,
  type ChannelRequest,
  channelReply,
  type DesiredDesktop,
  type FromCore,
  type FromHost,
  fromHost,
} from '../messages.ts';

/** A core process as a host sees it. It takes nothing that is not exactly of messages.ts: what a host says wrongly fails the test. */
export interface CoreStandIn extends AsyncDisposable {
  readonly url: string;
  /** Everything that hosts have said on links, in order. */
  readonly said: FromHost[];
  /** What was not of the protocol. A test expects it to be empty. */
  readonly wrong: string[];
  /** The hosts' links, oldest first, closed ones too. */
  readonly links: WebSocket[];
  /** False: heartbeats are not answered any more, as when the core is cut off. */
  answering: boolean;
  /** Refuses hosts that register, with this. */
  refusal: string | undefined;
  /** Sent to every host that registers, and now. */
  want(desktops: readonly DesiredDesktop[]): void;
  send(message: FromCore): void;
  /** Asks a host to dial, and gives the connection once it is there. */
  dialled(desktop: string, kind: 'viewer' | 'channel', person?: object): Promise<WebSocket>;
  /** Waits until a host has said something like this after the `from`th message. */
  hears<T extends FromHost>(what: (message: FromHost) => message is T, from?: number): Promise<T>;
}

/** A stand-in of the core on a port of its own. */
export async function startCoreStandIn(token: string): Promise<CoreStandIn> {
  const http = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
  const waiting = new Map<string, (socket: WebSocket) => void>();
  const listeners = new Set<() => void>();
  let desired: readonly DesiredDesktop[] = [];
  let tickets = 0;

  http.on('upgrade', (request: IncomingMessage, socket, head) => {
    const bearer = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const accept = (then: (ws: WebSocket) => void) => sockets.handleUpgrade(request, socket, head, then);
    if (request.url === '/hosts') {
      if (bearer !== token) return void socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return accept(serveLink);
    }
    const taken = waiting.get(bearer);
    waiting.delete(bearer);
    if (request.url !== '/dialled' || !taken)
      return void socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    accept(taken);
  });

  function serveLink(link: WebSocket): void {
    core.links.push(link);
    let registered = false;
    const say = (message: FromCore) => link.send(JSON.stringify(message));
    link.on('error', () => link.terminate());
    link.on('message', (data) => {
      const message = fromHost.safeParse(JSON.parse(String(data)));
      if (!message.success) return void core.wrong.push(String(data));
      if (registered === (message.data.type === 'register')) core.wrong.push(`${message.data.type} out of turn`);
      core.said.push(message.data);
      for (const listener of listeners) listener();
      if (message.data.type === 'register') {
        if (core.refusal !== undefined) {
          say({ type: 'refused', message: core.refusal });
          return link.close(1008);
        }
        registered = true;
        say({ type: 'registered', host: message.data.host });
        say({ type: 'desktops', desktops: [...desired] });
      } else if (message.data.type === 'heartbeat' && core.answering) say({ type: 'alive' });
    });
  }

  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const core: CoreStandIn = {
    url: `http://127.0.0.1:${port}`,
    said: [],
    wrong: [],
    links: [],
    answering: true,
    refusal: undefined,
    want(desktops) {
      desired = desktops;
      core.send({ type: 'desktops', desktops: [...desktops] });
    },
    send(message) {
      for (const link of core.links) if (link.readyState === link.OPEN) link.send(JSON.stringify(message));
    },
    dialled(desktop, kind, person) {
      const ticket = `ticket-${++tickets}`;
      return new Promise((resolve) => {
        waiting.set(ticket, resolve);
        core.send({ type: 'dial', desktop, kind, url: `ws://127.0.0.1:${port}/dialled`, ticket, person } as FromCore);
      });
    },
    hears(what, from = 0) {
      return new Promise((resolve) => {
        const look = () => {
          const found = core.said.slice(from).find(what);
          if (!found) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
  return core;
}

/** Whether a message says this of a Desktop. For {@link CoreStandIn.hears}. */
export function isDesktop(id: string, state: string, generation?: number) {
  return (message: FromHost): message is Extract<FromHost, { type: 'desktop' }> =>
    message.type === 'desktop' &&
    message.id === id &&
    message.state === state &&
    (generation === undefined || message.generation === generation);
}

/** Asks on a channel as the core does, and checks each reply. */
export function askOn(
  channel: WebSocket,
): (request: object, content?: Buffer) => Promise<{ reply: ChannelReply; data?: Buffer }> {
  const pending = new Map<number, (answer: { reply: ChannelReply; data?: Buffer }) => void>();
  let last = 0;
  let following: ChannelReply | undefined;
  channel.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) {
      if (!following) throw new Error('a binary message that no reply has announced');
      pending.get(following.id)?.({ reply: following, data: data as Buffer });
      following = undefined;
      return;
    }
    const reply = channelReply.parse(JSON.parse(String(data)));
    if ('bytes' in reply && reply.bytes > 0) following = reply;
    else pending.get(reply.id)?.({ reply });
  });
  return (request, content) => {
    const id = ++last;
    return new Promise((resolve) => {
      pending.set(id, resolve);
      channel.send(JSON.stringify({ id, ...request } as ChannelRequest));
      if (content) channel.send(content);
    });
  };
}

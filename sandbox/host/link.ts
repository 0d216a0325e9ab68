import { type RawData, WebSocket } from 'ws';
import { createBackOff } from './back-off.ts';
import { createFence } from './fence.ts';
import type { HostLog } from './host-log.ts';
import { type FromCore, type FromHost, fromCore } from './messages.ts';

/** What the link is made with. Times in milliseconds. */
export interface LinkOptions {
  /** The cores' base URLs, http or https. One is dialled at a time; the next one when that fails. */
  coreUrls: readonly string[];
  token: string;
  /** What is said first on each connection. */
  registration: Extract<FromHost, { type: 'register' }>;
  log: HostLog;
  heartbeatMs?: number;
  /** The core has not answered for so long: the connection is given up for dead. */
  deadAfterMs?: number;
  fenceMs?: number;
  reconnectAtMostMs?: number;
}

/** What comes of it. */
export interface LinkListener {
  /** The core knows this host, once for each connection: it is to be told everything again. */
  registered(): void;
  desktops(desktops: Extract<FromCore, { type: 'desktops' }>['desktops']): void;
  dial(request: Extract<FromCore, { type: 'dial' }>): void;
  /** No core has been heard for `fenceMs`: the Desktops are no longer this host's. */
  silent(): void;
}

/** The host's connection to the core, whichever core process that is now. */
export interface Link {
  /** False: there is no connection now, so that it was not sent. */
  send(message: FromHost): boolean;
  close(): void;
}

const handshakeMs = 5000;
/** A WebSocket's close code (RFC 6455 §7.4.1): the other side is shutting down. */
const goingAway = 1001;
const largestMessage = 4 * 1024 * 1024;

/** Dials the core, registers, says every 5 s that it is alive, and dials again for as long as it takes. */
export function openLink(options: LinkOptions, listener: LinkListener): Link {
  const { log, token, registration, heartbeatMs = 5000, deadAfterMs = 12_000, fenceMs = 25_000 } = options;
  const backOff = createBackOff(options.reconnectAtMostMs ?? 5000);
  const fence = createFence(fenceMs, listener.silent);
  let socket: WebSocket | undefined;
  let registered = false;
  let closed = false;
  let attempt = 0;
  let lastProblem: string | undefined;
  let redial: NodeJS.Timeout | undefined;

  const dial = () => {
    const url = hostsUrl(options.coreUrls[attempt++ % options.coreUrls.length] ?? '');
    const dialled = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: handshakeMs,
      maxPayload: largestMessage,
      perMessageDeflate: false,
    });
    socket = dialled;
    let problem: string | undefined;
    let lastHeard = performance.now();
    const say = (message: FromHost) => dialled.send(JSON.stringify(message));
    const beat = setInterval(() => {
      if (dialled.readyState !== WebSocket.OPEN) return;
      if (performance.now() - lastHeard > deadAfterMs) {
        problem = `the core has not answered for ${deadAfterMs / 1000} s`;
        dialled.terminate();
        return;
      }
      if (!registered) return;
      fence.asked();
      say({ type: 'heartbeat' });
    }, heartbeatMs);

    dialled.on('open', () => {
      fence.asked();
      say(registration);
    });
    dialled.on('message', (data, isBinary) => {
      lastHeard = performance.now();
      const message = isBinary ? undefined : readMessage(data);
      if (!message) {
        problem = 'the core has sent what this version of the host does not know: run the same version of both';
        dialled.close(1008);
        return;
      }
      if (message.type === 'refused') {
        problem = `the core refuses this host: ${message.message}`;
        return;
      }
      if (message.type === 'registered') {
        registered = true;
        backOff.reset();
        fence.answered();
        if (lastProblem !== undefined || attempt === 1)
          log.info({ core: url, host: message.host }, 'the core has taken this host');
        lastProblem = undefined;
        listener.registered();
        return;
      }
      if (!registered) return;
      if (message.type === 'alive') fence.answered();
      else if (message.type === 'desktops') listener.desktops(message.desktops);
      else listener.dial(message);
    });
    dialled.on('unexpected-response', (_request, response) => {
      problem = whyRefused(response.statusCode);
      dialled.terminate();
    });
    dialled.on('error', (error) => {
      problem ??= `the core cannot be reached: ${error.message}`;
    });
    dialled.on('close', (code) => {
      clearInterval(beat);
      registered = false;
      fence.reset();
      if (closed) return;
      problem ??= code === goingAway ? 'the core is stopping' : 'the connection to the core has ended';
      // Once each: a core that is away is tried every few seconds.
      if (problem !== lastProblem) log[code === goingAway ? 'info' : 'warn']({ core: url }, `${problem}; trying again`);
      lastProblem = problem;
      redial = setTimeout(dial, backOff.next());
    });
  };
  dial();

  return {
    send(message) {
      if (!registered || socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    close() {
      closed = true;
      clearTimeout(redial);
      fence.close();
      socket?.close(1000);
      // A core that does not answer the closing handshake does not keep the process.
      setTimeout(() => socket?.terminate(), 1000).unref();
    },
  };
}

/** `http://core:8080` → `ws://core:8080/hosts`. */
function hostsUrl(coreUrl: string): string {
  return `${coreUrl.replace(/^http/i, 'ws')}/hosts`;
}

function readMessage(data: RawData): FromCore | undefined {
  try {
    return fromCore.parse(JSON.parse(String(data)));
  } catch {
    return undefined;
  }
}

function whyRefused(status: number | undefined): string {
  if (status === 401 || status === 403)
    return 'the core refuses HOST_TOKEN: set the same one for the core and this host';
  if (status !== undefined && status >= 300 && status < 400)
    return 'CORE_URL leads elsewhere: set it to the address of the core itself';
  return `CORE_URL answers ${status}: it is to be the address of a Switchboard core`;
}

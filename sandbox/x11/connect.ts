import { createConnection, type Socket } from 'node:net';
import x11 from 'x11';
import { connect as connectWithDescriptors } from 'x11/lib/fdpass.js';
import type { XDisplay } from '../drivers/driver.ts';

/** An X server that has not answered by then is not going to. */
const connectWithinMs = 5000;
/** How long a server may take to close its end, when we have closed ours. */
const closeWithinMs = 500;

/** A connection to an X server: npm x11's client with its extensions, and answers as promises. */
export interface XConnection extends AsyncDisposable {
  /** Requests are written together when the event loop comes round, or at once when an answer is wanted. */
  readonly client: x11.Client;
  readonly screen: x11.Screen;
  readonly root: number;
  readonly damage: x11.Damage;
  readonly fixes: x11.Fixes;
  readonly shm: x11.Shm;
  readonly xtest: x11.XTest;
  readonly randr: x11.Randr;
  readonly xinput: x11.XInput;
  /** False where file descriptors cannot be sent along: no shared memory then, `GetImage` of the core protocol instead. */
  readonly passesDescriptors: boolean;
  /**
   * One request: `await x.ask((reply) => x.client.QueryPointer(x.root, reply))`. Core requests without an answer resolve when
   * the server is past them; so this is also the way to see whether one has failed.
   *
   * @throws XRequestError when the server refuses it
   * @throws XLostError when the connection ends first
   */
  ask<T>(send: (reply: x11.Reply<T>) => void): Promise<T>;
  /** Resolves when the server has done all that was asked until now. */
  settled(): Promise<void>;
  /** Returns what ends it. */
  onEvent(listener: (event: x11.Event) => void): () => void;
  /**
   * Resolves with the reason when the connection has ended without {@link close}: the server is gone, or refused a request that
   * nobody waited for, which is a mistake of ours.
   */
  readonly lost: Promise<XLostError>;
  close(): Promise<void>;
}

/** The X server refused a request. */
export class XRequestError extends Error {
  /** 3 BadWindow, 8 BadMatch, 10 BadAccess …: X Window System Protocol, "Errors". */
  readonly code: number;

  constructor(error: x11.XError) {
    super(
      `the X server refused request ${error.majorOpcode}.${error.minorOpcode}: ` +
        `${error.message || 'error of an extension'} (${error.error}), value ${error.badParam}`,
    );
    this.name = 'XRequestError';
    this.code = error.error;
  }
}

/** There is no connection to the X server, or no longer. */
export class XLostError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'XLostError';
  }
}

/**
 * Connects to the X server behind a UNIX socket, wherever its folder is (npm x11 by itself only looks into /tmp/.X11-unix), with the
 * cookie that is given and nobody's Xauthority file. The socket can pass file descriptors where Node lets it.
 *
 * @throws XLostError when there is no server, it refuses the cookie, it does not answer within 5 s, or it lacks an extension
 */
export async function connectX(display: XDisplay): Promise<XConnection> {
  const descriptors = connectWithDescriptors(display.socketPath);
  const socket = descriptors ?? createConnection(display.socketPath);
  const pending = new Set<(reason: XLostError) => void>();
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<XLostError>();
  let over: XLostError | undefined;
  let closing = false;

  function end(reason: XLostError): void {
    if (over) return;
    over = closing ? new XLostError('the connection was closed') : reason;
    if (!closing) tellLost(reason);
    for (const reject of [...pending]) reject(over);
    pending.clear();
    socket.destroy();
  }

  function ask<T>(send: (reply: x11.Reply<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (over) return reject(over);
      pending.add(reject);
      send((error, value) => {
        pending.delete(reject);
        if (error) reject(new XRequestError(error));
        else resolve(value);
        return true;
      });
    });
  }

  // Before the client is made: it would write to a socket that can pass descriptors without waiting for it to be connected.
  await opened(socket, display);
  const client = await new Promise<x11.Client>((resolve, reject) => {
    pending.add(reject);
    const late = setTimeout(() => end(new XLostError(`${at(display)} did not answer for 5 s`)), connectWithinMs);
    const opening = x11.createClient(
      {
        display: ':0',
        stream: socket,
        auth: { name: 'MIT-MAGIC-COOKIE-1', data: Buffer.from(display.cookie, 'hex').toString('latin1') },
        bufferRequests: true,
      },
      (error, ready) => {
        clearTimeout(late);
        pending.delete(reject);
        if (error) end(new XLostError(`${at(display)} cannot be used: ${error.message}`, { cause: error }));
        if (over) reject(over);
        else resolve(withOwnAtoms(ready.client));
      },
    );
    opening.on('error', (error: NodeJS.ErrnoException | x11.XError) => {
      clearTimeout(late);
      end(lostBy(error, display));
    });
  });
  socket.on('close', () => end(new XLostError(gone(display))));

  async function close(): Promise<void> {
    closing = true;
    if (over) return;
    await closed(client, socket);
  }

  async function extension<N extends keyof x11.Extensions>(name: N): Promise<x11.Extensions[N]> {
    return ask<x11.Extensions[N]>((reply) => {
      client.require(name, (error, found) => {
        if (error)
          end(new XLostError(`${at(display)} lacks the extension "${name}": ${error.message}`, { cause: error }));
        else reply(null, found);
      });
    });
  }

  const [screen] = client.display.screen;
  if (!screen) throw new XLostError(`${at(display)} has no screen`);
  const [damage, fixes, shm, xtest, randr, xinput] = await Promise.all([
    extension('damage'),
    extension('fixes'),
    extension('shm'),
    extension('xtest'),
    extension('randr'),
    extension('xinput'),
  ]);

  return {
    client,
    screen,
    root: screen.root,
    damage,
    fixes,
    shm,
    xtest,
    randr,
    xinput,
    passesDescriptors: descriptors !== null,
    ask,
    settled: async () => {
      await ask((reply) => client.GetInputFocus(reply));
    },
    onEvent: (listener) => {
      client.on('event', listener);
      return () => {
        client.off('event', listener);
      };
    },
    lost,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function at(display: XDisplay): string {
  return `the X server at ${display.socketPath}`;
}

function opened(socket: Socket, display: XDisplay): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.destroy();
      reject(new XLostError(`${at(display)} cannot be reached: ${error.message}`, { cause: error }));
    });
    socket.once('connect', resolve);
  });
}

/** The client's atoms are one table for all connections of a process, though each X server numbers its own. */
function withOwnAtoms(client: x11.Client): x11.Client {
  client.atoms = { ...client.atoms };
  return client;
}

function lostBy(error: NodeJS.ErrnoException | x11.XError, display: XDisplay): XLostError {
  const cause = 'majorOpcode' in error ? new XRequestError(error) : error;
  const isGone = 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
  return new XLostError(isGone ? gone(display) : `${at(display)}: ${cause.message}`, { cause });
}

function gone(display: XDisplay): string {
  return `${at(display)} has closed the connection`;
}

function closed(client: x11.Client, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const late = setTimeout(() => socket.destroy(), closeWithinMs);
    socket.once('close', () => {
      clearTimeout(late);
      resolve();
    });
    client.terminate();
  });
}

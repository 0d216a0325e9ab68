import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import { ConfigurationError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { Upgrades } from './upgrades.ts';

/** A listening HTTP server. */
export type Listening = {
  readonly server: Server;
  /** The port it really has, also where 0 was asked for. */
  readonly port: number;
  /** Its own address as a URL, without a slash at the end. */
  readonly url: string;
  /**
   * Stops accepting, lets requests in progress finish for up to so many seconds (default 5), then cuts what is left. May be
   * called again.
   */
  close(graceSeconds?: number): Promise<void>;
};

/** How often idle keep-alive connections are looked for while closing: a request that ends makes its connection idle. */
const SWEEP_MILLISECONDS = 50;

/**
 * Starts an HTTP server for an app.
 *
 * @param at `upgrades`: where WebSockets are taken; `log` is told when a connection cannot be accepted, for want of file descriptors for instance
 * @throws ConfigurationError in one sentence when the port is taken (`port_in_use`) or not allowed, or HOST is not an address
 *   of this machine
 */
export async function listen(
  app: RequestListener,
  at: { host: string; port: number; log?: Log; upgrades?: Upgrades },
): Promise<Listening> {
  const server = createServer(app);
  if (at.upgrades) server.on('upgrade', at.upgrades.handle);
  const sockets = new Set<Socket>();
  // Counted by hand because closeAllConnections() forgets those that became WebSockets.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  try {
    server.listen(at.port, at.host);
    await once(server, 'listening');
  } catch (cause) {
    throw listenError(cause as NodeJS.ErrnoException, at);
  }
  // Without a listener the process would end for one connection that could not be accepted.
  server.on('error', (err) => at.log?.error({ err }, 'a connection could not be accepted'));
  const { address, port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    server,
    port,
    url: `http://${isIPv6(address) ? `[${address}]` : address}:${port}`,
    close(graceSeconds = 5) {
      closed ??= close(server, sockets, graceSeconds);
      return closed;
    },
  };
}

async function close(server: Server, sockets: ReadonlySet<Socket>, graceSeconds: number): Promise<void> {
  const done = once(server, 'close');
  server.close();
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MILLISECONDS);
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceSeconds * 1000);
  try {
    await done;
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}

function listenError(cause: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  switch (cause.code) {
    case 'EADDRINUSE':
      return new ConfigurationError(
        `port ${port} on ${host} is in use: stop what uses it, or set PORT to another one`,
        'port_in_use',
        { cause },
      );
    case 'EACCES':
      return new ConfigurationError(
        `port ${port} on ${host} may not be used by this user: set PORT to one above 1023`,
        'port_not_allowed',
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAFNOSUPPORT':
      return new ConfigurationError(
        `HOST ${host} is not an address of this machine: set it to 127.0.0.1, 0.0.0.0 or one of its own`,
        'host_not_local',
        { cause },
      );
    default:
      return new ConfigurationError(`cannot listen on ${host}, port ${port}: ${cause.message}`, 'cannot_listen', {
        cause,
      });
  }
}

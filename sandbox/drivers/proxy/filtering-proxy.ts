import type { LookupAddress } from 'node:dns';
import { lookup as dnsLookup } from 'node:dns/promises';
import { chmod, chown, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createConnection, isIP, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import type { Network } from '../driver.ts';
import type { Owner } from '../runtime-folder.ts';
import { allowedHosts } from './allowed-hosts.ts';
import { isPublicAddress } from './public-address.ts';

/** A server that has not taken a connection by then is told to be away. */
const connectWithinMs = 15_000;
/** Connections of one Desktop at once; a browser opens a few dozen. */
const connectionsAtMost = 256;
/** What belongs to one connection and is not passed on (RFC 9110, 7.6.1). */
const hopByHop = ['connection', 'proxy-connection', 'keep-alive', 'proxy-authorization', 'te', 'trailer', 'upgrade'];

/** The way out of one sandbox. */
export interface FilteringProxy {
  close(): Promise<void>;
}

/** How names become addresses and addresses connections: what a test exchanges, since it may not reach the Internet. */
export interface Outside {
  lookup(host: string): Promise<readonly LookupAddress[]>;
  connect(address: string, port: number): Socket;
}

const internet: Outside = {
  lookup: (host) => dnsLookup(host, { all: true }),
  connect: (address, port) => createConnection({ host: address, port, timeout: connectWithinMs }),
};

class RefusedError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.status = status;
  }
}

/**
 * An HTTP proxy (CONNECT and plain) on a UNIX socket that reaches the listed hosts only, and of their addresses only those of the
 * Internet. The address that was checked is the one that is connected to, so that a name cannot change its meaning in between.
 * Null when the network is none.
 *
 * @throws RangeError for a host in the list that is none
 */
export async function startFilteringProxy(
  network: Network,
  socketPath: string,
  { uid, gid }: Owner,
  outside: Outside = internet,
): Promise<FilteringProxy | null> {
  if (network.kind === 'none') return null;
  const allowed = allowedHosts(network.hosts);
  const open = new Set<Duplex>();

  /** @throws RefusedError */
  async function reach(host: string, port: number): Promise<Socket> {
    if (!allowed(host, port))
      throw new RefusedError(403, `${host}:${port} is not among the hosts that this Desktop may reach`);
    const addresses = isIP(host) ? [{ address: host }] : await outside.lookup(host).catch(() => []);
    if (addresses.length === 0) throw new RefusedError(502, `${host} has no address`);
    const found = addresses.find(({ address }) => isPublicAddress(address));
    if (!found) throw new RefusedError(403, `${host} is not on the Internet: this Desktop may not reach its address`);
    const socket = outside.connect(found.address, port);
    track(socket);
    await new Promise<void>((resolve, reject) => {
      const fail = () => {
        socket.destroy();
        reject(new RefusedError(502, `${host}:${port} does not answer`));
      };
      socket.once('connect', resolve).once('error', fail).once('timeout', fail).once('close', fail);
    });
    socket.setTimeout(0);
    return socket;
  }

  function track(stream: Duplex): void {
    open.add(stream);
    stream.once('close', () => open.delete(stream));
    // its end is told by `close`
    stream.on('error', () => stream.destroy());
  }

  async function tunnel(request: IncomingMessage, program: Duplex, head: Buffer): Promise<void> {
    track(program);
    try {
      const target = new URL(`http://${request.url}`);
      const server = await reach(bare(target.hostname), Number(target.port || 80));
      program.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) server.write(head);
      pipeline(program, server, () => {});
      pipeline(server, program, () => {});
    } catch (error) {
      const { status, message } = refusal(error);
      program.end(`HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${message}\n`);
    }
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const target = new URL(request.url ?? '');
      if (target.protocol !== 'http:') throw new RefusedError(400, 'a plain request must be for an http address');
      const socket = await reach(bare(target.hostname), Number(target.port || 80));
      const headers = Object.entries(request.headers).filter(([name]) => !hopByHop.includes(name));
      const onward = httpRequest({
        createConnection: () => socket,
        method: request.method,
        path: `${target.pathname}${target.search}`,
        headers: { ...Object.fromEntries(headers), host: target.host, connection: 'close' },
      });
      onward.once('response', (answer) => {
        const kept = Object.entries(answer.headers).filter(([name]) => !hopByHop.includes(name));
        response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
        pipeline(answer, response, () => {});
      });
      onward.once('error', () => response.destroy());
      pipeline(request, onward, () => {});
    } catch (error) {
      const { status, message } = refusal(error);
      response.writeHead(status, { 'content-type': 'text/plain' }).end(`${message}\n`);
    }
  }

  const server = createServer((request, response) => void forward(request, response));
  server.maxConnections = connectionsAtMost;
  server.on('connection', track);
  server.on('connect', (request, program, head) => void tunnel(request, program, head));
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
  await chmod(socketPath, 0o600);
  if (process.getuid?.() === 0) await chown(socketPath, uid, gid);
  return {
    async close() {
      for (const stream of open) stream.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An IPv6 address stands in brackets in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function refusal(error: unknown): RefusedError {
  return error instanceof RefusedError ? error : new RefusedError(400, 'this is no address that a proxy can reach');
}

import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SwitchboardError } from '../errors.ts';
import type { Log } from '../log/log.ts';

/** A connection that asks to become a WebSocket. Nothing has been read of it but its head. */
export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  /** The parts of the path that the pattern names. */
  params: Readonly<Record<string, string>>;
}

/** What takes the upgrades of one path. A SwitchboardError that it throws is the answer. */
export type UpgradeHandler = (upgrade: Upgrade) => Promise<void> | void;

/** The paths of an HTTP server at which WebSockets are taken. */
export interface Upgrades {
  /** @param path with names for its variable parts: `/d/:desktop/stream` */
  mount(path: string, handler: UpgradeHandler): void;
  /** For the server's `upgrade` event. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Makes an empty set of paths. What is at no path is answered 404, since Express does not see upgrades. */
export function createUpgrades(log: Log): Upgrades {
  const routes: { parts: string[]; handler: UpgradeHandler }[] = [];

  function find(pathname: string): { handler: UpgradeHandler; params: Record<string, string> } | undefined {
    const given = pathname.split('/');
    for (const { parts, handler } of routes) {
      if (parts.length !== given.length) continue;
      const params: Record<string, string> = {};
      const fits = parts.every((part, n) => {
        const said = given[n] ?? '';
        if (!part.startsWith(':')) return part === said;
        params[part.slice(1)] = said;
        return said !== '';
      });
      if (fits) return { handler, params };
    }
    return undefined;
  }

  return {
    mount: (path, handler) => void routes.push({ parts: path.split('/'), handler }),
    handle(request, socket, head) {
      // A peer that goes away while it is being answered is no error of ours.
      socket.on('error', () => socket.destroy());
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      const found = find(path);
      if (!found) return refuseUpgrade(socket, 404, 'not_found', `there is no WebSocket at ${path}`);
      const { handler, params } = found;
      (async () => await handler({ request, socket, head, params }))().catch((error: unknown) => {
        if (error instanceof SwitchboardError) return refuseUpgrade(socket, error.status, error.code, error.message);
        // The path alone: headers hold tokens.
        log.error({ err: error, path }, 'an upgrade failed');
        refuseUpgrade(socket, 500, 'internal', undefined);
      });
    },
  };
}

/** Answers with a problem (RFC 9457), as a request would be, and ends the connection. */
function refuseUpgrade(socket: Duplex, status: number, code: string, detail: string | undefined): void {
  const title = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code });
  // No timeout of the server counts any more: a peer that keeps its side open would keep ours.
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      'Connection: close',
      'Content-Type: application/problem+json',
      'Cache-Control: no-store',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
      '',
      body,
    ].join('\r\n'),
  );
}

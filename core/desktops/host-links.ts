import { createHash, timingSafeEqual } from 'node:crypto';
import { type WebSocket, WebSocketServer } from 'ws';
import { UnauthenticatedError, UnavailableError } from '../errors.ts';
import type { Upgrade } from '../http/upgrades.ts';
import { newId } from '../store/ids.ts';
import { bearerOf } from './bearer.ts';
import type { DesktopParts } from './desktop-parts.ts';
import { takeDials } from './dial-rows.ts';
import { type HostLink, serveHostLink } from './host-link.ts';
import type { FromCore } from './host-messages.ts';
import { lookAgain } from './look-again.ts';

/** The Hosts that have dialled this process. */
export interface HostLinks {
  /** Takes a Host's link. @throws UnauthenticatedError before anything of it is read */
  take(upgrade: Upgrade): void;
  /** Sends to a Host by the connection of this name. False: it is not here (any more). */
  send(link: string, message: FromCore): boolean;
  close(): Promise<void>;
}

/** A registration with its reports; a list of Desktops goes the other way. */
const largestMessage = 1024 * 1024;

/**
 * Makes the endpoint `/hosts`. Whenever something about Desktops was changed, by whatever process, each Host here is told what it should
 * run, and where it is to dial.
 */
export function createHostLinks(parts: DesktopParts): HostLinks {
  const { log, hostToken } = parts;
  const server = new WebSocketServer({ noServer: true, maxPayload: largestMessage, perMessageDeflate: false });
  const links = new Set<HostLink>();
  let closed = false;

  function find(name: string): HostLink | undefined {
    return [...links].find((link) => link.name === name);
  }

  async function look(): Promise<void> {
    const names = [...links].filter(({ host }) => host !== undefined).map(({ name }) => name);
    if (names.length === 0) return;
    for (const { link, ...dial } of await takeDials(parts, names)) find(link)?.send(dial);
    for (const link of links) await link.tellDesired();
  }

  const looker = lookAgain(look, parts.waking.listenDesktops, (error) => {
    log.warn({ err: error }, 'what sandbox hosts are to do could not be read; looking again');
  });

  function serve(socket: WebSocket): void {
    const link = serveHostLink(parts, socket, `${parts.processName}:${newId('a')}`, looker.look);
    links.add(link);
    socket.once('close', () => links.delete(link));
  }

  return {
    take({ request, socket, head }) {
      const token = bearerOf(request);
      if (!hostToken || !token || !isSame(token, hostToken))
        throw new UnauthenticatedError('a sandbox host shows HOST_TOKEN: set the same one for the core and the host');
      if (closed) throw new UnavailableError('this core is being stopped: try again in a moment');
      server.handleUpgrade(request, socket, head, serve);
    },
    send(name, message) {
      const link = find(name);
      link?.send(message);
      return link !== undefined;
    },
    async close() {
      closed = true;
      await looker.stop();
      for (const link of links) link.close();
    },
  };
}

/** In a time that tells nothing: hashes are of one length, and are compared whole. */
function isSame(given: string, wanted: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}

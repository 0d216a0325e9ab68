import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Core } from '../core.ts';
import { UnauthenticatedError, UnavailableError } from '../errors.ts';
import type { Upgrade } from '../http/upgrades.ts';
import type { DesktopId } from '../store/ids.ts';
import { checkLinks, openLink, refusalOf } from './check-links.ts';
import type { Dialer } from './dialer.ts';
import { endConnection } from './end-connection.ts';
import { keepAlive } from './keep-alive.ts';
import { lookAgain } from './look-again.ts';
import { renewToken } from './viewer-links.ts';
import { joinViewer, type ViewerSession, viewerError } from './viewer-session.ts';

/** Other limits than the real ones, for tests. */
export interface ViewerLimits {
  /** In milliseconds. */
  renewEveryMs?: number | undefined;
  unknownAtMost?: number | undefined;
}

/** The people who watch by way of this process. */
export interface Viewers {
  /** Takes a viewer at `/d/:desktop/stream`. Who it is, it says in its first message. */
  take(upgrade: Upgrade): void;
  close(): Promise<void>;
}

/** A viewer that does not say who it is within so many milliseconds is in nobody's way. */
const authWithinMs = 5000;

/** So many may be about to say who they are; one more, and the oldest of them goes. A page says it at once. */
const usuallyUnknown = 1000;

/** Who has not said who it is gets so much in, in bytes: the first message holds a token of 4096 at most. */
const unknownBytes = 16 * 1024;

/** The page's token is renewed so often, in milliseconds (design §6, links and keys). */
const usuallyRenewedMs = 5 * 60_000;

/** The largest that a viewer sends is a clipboard. */
const largestMessage = 1024 * 1024;

const auth = z.object({ type: z.literal('auth'), token: z.string().min(1).max(4096) });

/** Makes the viewers' endpoint. Whoever is let in is looked after: when the link stops counting, the connection ends within 2 s. */
export function createViewers(
  parts: Pick<Core, 'database' | 'waking' | 'log' | 'desktops'>,
  dialer: Dialer,
  { renewEveryMs = usuallyRenewedMs, unknownAtMost = usuallyUnknown }: ViewerLimits = {},
): Viewers {
  const { database, log } = parts;
  const server = new WebSocketServer({ noServer: true, maxPayload: largestMessage, perMessageDeflate: false });
  const sockets = new Set<WebSocket>();
  /** Those that have not said who they are, the oldest first. */
  const unknown = new Set<WebSocket>();
  const sessions = new Set<ViewerSession>();
  let closed = false;

  async function look(): Promise<void> {
    if (sessions.size === 0) return;
    const watched = [...sessions];
    const now = new Map(
      (
        await checkLinks(
          database,
          watched.map(({ link }) => link),
        )
      ).map((link) => [`${link.organisation} ${link.jti}`, link]),
    );
    for (const session of watched) {
      const refusal = refusalOf(now.get(`${session.link.organisation} ${session.link.jti}`));
      if (refusal) session.drop(refusal);
    }
  }

  const looker = lookAgain(look, parts.waking.listenDesktops, (error) => {
    log.warn({ err: error }, 'the links of viewers could not be checked; looking again');
  });

  async function renewAll(): Promise<void> {
    const watched = [...sessions];
    const links = await checkLinks(
      database,
      watched.map(({ link }) => link),
    );
    for (const session of watched) {
      const { organisation, jti } = session.link;
      const now = links.find((link) => link.organisation === organisation && link.jti === jti);
      if (now?.standing === 'open') session.renew(await renewToken(parts, session.link, now.leftSeconds));
    }
  }

  const renewing = setInterval(() => {
    renewAll().catch((error: unknown) => log.warn({ err: error }, 'the tokens of viewers could not be renewed'));
  }, renewEveryMs);

  /** The token of somebody who is yet unknown, and is let in for that long only. */
  async function introduced(socket: WebSocket, stream: Duplex): Promise<string> {
    const [oldest] = unknown;
    if (oldest && unknown.size >= unknownAtMost) oldest.terminate();
    unknown.add(socket);
    let bytes = 0;
    const count = (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > unknownBytes) socket.terminate();
    };
    stream.on('data', count);
    try {
      return await firstToken(socket);
    } finally {
      stream.off('data', count);
      unknown.delete(socket);
    }
  }

  async function serve(socket: WebSocket, stream: Duplex, desktop: DesktopId): Promise<void> {
    const token = await introduced(socket, stream);
    const link = await openLink(parts, token, { desktop, modes: ['watch', 'control'] });
    if (closed) throw new UnavailableError('this core is being stopped: try again');
    const { session, ended } = joinViewer(socket, { ...link, desktop }, dialer.dial);
    sessions.add(session);
    try {
      // The link was to be opened soon; the page that was must not lose its way in before the next round.
      if (link.mode === 'control') session.renew(await renewToken(parts, link, link.leftSeconds));
      await ended;
    } finally {
      sessions.delete(session);
    }
  }

  return {
    take({ request, socket, head, params }) {
      if (closed) throw new UnavailableError('this core is being stopped: try again');
      const desktop = params.desktop as DesktopId;
      server.handleUpgrade(request, socket, head, (viewer) => {
        sockets.add(viewer);
        viewer.once('close', () => sockets.delete(viewer));
        viewer.on('error', (error) => log.debug({ err: error, desktop }, 'the connection of a viewer broke'));
        keepAlive(viewer);
        serve(viewer, socket, desktop).catch((error: unknown) => {
          const told = viewerError(error);
          if (told.code === 'unavailable') log.warn({ err: error, desktop }, 'a viewer could not be served');
          if (viewer.readyState === viewer.OPEN) viewer.send(JSON.stringify({ type: 'error', ...told }));
          endConnection(viewer, 1008);
        });
      });
    },
    async close() {
      closed = true;
      clearInterval(renewing);
      await looker.stop();
      // The page connects again, to whatever core is up.
      for (const socket of sockets) socket.close(1001);
    },
  };
}

/** The token of a viewer's first message. @throws UnauthenticatedError when that is something else, or does not come in time. */
async function firstToken(socket: WebSocket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const refuse = () => reject(new UnauthenticatedError('say who you are: the first message is `auth` with the token'));
  const timer = setTimeout(refuse, authWithinMs);
  socket.once('close', refuse);
  socket.once('message', (data, isBinary) => {
    const token = isBinary ? undefined : readAuth(data);
    if (token === undefined) refuse();
    else resolve(token);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.off('close', refuse);
  }
}

function readAuth(data: RawData): string | undefined {
  try {
    return auth.parse(JSON.parse(String(data))).token;
  } catch {
    return undefined;
  }
}

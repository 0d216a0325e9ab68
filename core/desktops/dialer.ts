import { createHash, randomBytes } from 'node:crypto';
import { type WebSocket, WebSocketServer } from 'ws';
import { UnauthenticatedError, UnavailableError } from '../errors.ts';
import type { Upgrade } from '../http/upgrades.ts';
import type { DesktopId, HostId, OrganisationId } from '../store/ids.ts';
import { bearerOf } from './bearer.ts';
import type { DesktopParts } from './desktop-parts.ts';
import { type DialRow, dialMessage, dialSeconds, leaveDial, ticketOf } from './dial-rows.ts';
import type { HostLinks } from './host-links.ts';
import type { DialPerson } from './host-messages.ts';
import { keepAlive } from './keep-alive.ts';

/** What is wanted of a Desktop's Host. */
export interface DialRequest {
  organisation: OrganisationId;
  desktop: DesktopId;
  kind: 'viewer' | 'channel';
  /** With kind `viewer`. */
  person?: DialPerson;
  signal: AbortSignal;
}

/** Has Hosts connect to this process. */
export interface Dialer {
  /**
   * Asks the Desktop's Host for a connection. It is paused: resume it once there is somebody who hears what it says.
   *
   * @throws UnavailableError when the Desktop does not run, or its Host has not come within 10 s; what the signal was aborted with.
   */
  dial(request: DialRequest): Promise<WebSocket>;
  /** Takes the connection of a Host that was asked. @throws UnauthenticatedError for a ticket that nobody waits for (any more). */
  take(upgrade: Upgrade): void;
}

/** One file, a keyframe of a large screen, or a clip: of that a host keeps 64 MiB (sandbox/stream/recordings/clip-ring.ts), and an MP4 adds to it. */
const largestMessage = 72 * 1024 * 1024;

/**
 * Makes the endpoint `/hosts/dial`. A ticket is good once, for 10 s, in the process that waits: Hosts reach that one directly, by its
 * ADVERTISE_URL.
 *
 * @param options `aliveEveryMs`: how often a Host is asked whether it is there, for tests
 */
export function createDialer(
  parts: DesktopParts,
  links: Pick<HostLinks, 'send'>,
  { aliveEveryMs }: { aliveEveryMs?: number } = {},
): Dialer {
  const server = new WebSocketServer({ noServer: true, maxPayload: largestMessage, perMessageDeflate: false });
  /** By the SHA-256 of the ticket, so that looking for one takes as long whatever was given. */
  const waiting = new Map<string, (socket: WebSocket) => void>();
  const url = `${parts.advertiseUrl.replace(/^http/i, 'ws')}/hosts/dial`;

  /** The Host that has it, and the connection that speaks for that Host. */
  async function hostOf(organisation: OrganisationId, desktop: DesktopId): Promise<{ host: HostId; link: string }> {
    const [row] = await parts.database.query<{ host: HostId; link: string }>(
      `select h.id as host, h.link from desktop d join host h on h.id = d.host
       where d.organisation = $1 and d.id = $2 and d.desired = 'running' and d.state = 'running'`,
      [organisation, desktop],
    );
    if (!row)
      throw new UnavailableError('the desktop is not running (yet): try again in a moment', 'desktop_unavailable');
    return row;
  }

  /** Tells when it is no longer this Host that is to come: it was lost while it was waited for. */
  function whenMoved({ organisation, desktop, host }: DialRow, moved: (reason: unknown) => void): () => void {
    return parts.waking.listenDesktops(() => {
      hostOf(organisation, desktop).then((now) => {
        if (now.host !== host)
          moved(new UnavailableError('the desktop has moved to another host: try again', 'desktop_unavailable'));
      }, moved);
    });
  }

  return {
    async dial({ organisation, desktop, kind, person, signal }) {
      const { host, link } = await hostOf(organisation, desktop);
      signal.throwIfAborted();
      const id = randomBytes(32).toString('base64url');
      const row: DialRow = { id, organisation, desktop, host, kind, url, ...(person ? { person } : {}) };
      const name = nameOf(ticketOf(parts, id));
      const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
      // Rejected while something else is awaited, it is heard of below.
      promise.catch(() => undefined);
      const giveUp = (reason: unknown) => {
        waiting.delete(name);
        reject(reason);
      };
      const tooLate = () =>
        giveUp(new UnavailableError('the host of the desktop does not answer: try again', 'desktop_unavailable'));
      const timer = setTimeout(tooLate, dialSeconds * 1000);
      const abort = () => giveUp(signal.reason);
      signal.addEventListener('abort', abort);
      const unlisten = whenMoved(row, giveUp);
      waiting.set(name, resolve);
      try {
        // Nobody but the process that holds the Host's link can tell it; mostly that is this one.
        if (!links.send(link, dialMessage(parts, row))) await leaveDial(parts, row);
        return await promise;
      } finally {
        clearTimeout(timer);
        unlisten();
        signal.removeEventListener('abort', abort);
        waiting.delete(name);
      }
    },
    take({ request, socket, head }) {
      const ticket = bearerOf(request);
      const name = ticket === undefined ? undefined : nameOf(ticket);
      const resolve = name === undefined ? undefined : waiting.get(name);
      if (!name || !resolve) throw new UnauthenticatedError('nobody waits for this ticket (any more)');
      waiting.delete(name);
      server.handleUpgrade(request, socket, head, (accepted) => {
        accepted.pause();
        // A machine that is gone says nothing: without this a viewer would look at its last picture for a quarter of an hour.
        keepAlive(accepted, aliveEveryMs);
        accepted.on('error', (error) => parts.log.debug({ err: error }, 'the connection of a sandbox host broke'));
        resolve(accepted);
      });
    },
  };
}

function nameOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}

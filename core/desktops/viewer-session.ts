import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { GoneError, SwitchboardError, UnauthenticatedError, UnavailableError } from '../errors.ts';
import { type DesktopId, newId } from '../store/ids.ts';
import { type OpenedLink, personOf } from './check-links.ts';
import { copyFrames } from './copy-frames.ts';
import type { Dialer } from './dialer.ts';
import { endConnection } from './end-connection.ts';

/** Why a viewer is refused or dropped, in the words of the wire format (sandbox/protocol.ts). */
export type ViewerErrorCode = 'unauthorised' | 'forbidden' | 'expired' | 'revoked' | 'stopped' | 'unavailable';

/** A viewer that has been let in. */
export interface ViewerSession {
  readonly link: OpenedLink & { desktop: DesktopId };
  /** Says why, and ends the connection. */
  drop(error: unknown): void;
  /** Sends the page a token that lasts longer. */
  renew(token: string): void;
}

/** The host's side of a connection may be away for so long before the viewer is told to try again by itself, in milliseconds. */
const hostAwayAtMostMs = 30_000;

/** A Host that comes and goes is asked no more often than this. */
const againMs = 250;

/**
 * Joins a viewer with its Desktop's streamer for as long as the viewer stays: when the streamer goes, the Host is asked for a new
 * connection, and the viewer's own stays open meanwhile. From here on frames are copied and nothing of them is read.
 *
 * @param dial has the Host connect; it may throw UnavailableError, and is asked again
 * @returns the session, and a promise that is kept when the viewer has gone
 */
export function joinViewer(
  socket: WebSocket,
  link: OpenedLink & { desktop: DesktopId },
  dial: Dialer['dial'],
  again: { awayAtMostMs?: number } = {},
): { session: ViewerSession; ended: Promise<void> } {
  const { organisation, desktop, subject, mode } = link;
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new Error('the viewer has gone')));
  const person = {
    viewer: newId('a'),
    subject,
    name: personOf(link),
    mode: mode === 'control' ? mode : 'watch',
  } as const;
  const awayAtMostMs = again.awayAtMostMs ?? hostAwayAtMostMs;

  function say(message: Record<string, unknown>): void {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  }

  function drop(error: unknown): void {
    say({ type: 'error', ...viewerError(error) });
    endConnection(socket, 1008);
    gone.abort(error);
  }

  async function stay(): Promise<void> {
    let awaySince = performance.now();
    while (!gone.signal.aborted) {
      try {
        const host = await dial({ organisation, desktop, kind: 'viewer', person, signal: gone.signal });
        await joined(socket, host, gone.signal);
        awaySince = performance.now();
      } catch (error) {
        if (gone.signal.aborted) return;
        if (!(error instanceof UnavailableError)) throw error;
        if (performance.now() - awaySince > awayAtMostMs) return drop(error);
      }
      await sleep(againMs, undefined, { signal: gone.signal }).catch(() => undefined);
    }
  }

  const session = { link, drop, renew: (token: string) => say({ type: 'token', token }) };
  return { session, ended: stay() };
}

/** Copies both ways until one of the two is gone; then the host's side is closed. */
async function joined(viewer: WebSocket, host: WebSocket, signal: AbortSignal): Promise<void> {
  const ends = [copyFrames(viewer, host), copyFrames(host, viewer)];
  host.resume();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const leave = () => resolve();
  host.once('close', leave);
  signal.addEventListener('abort', leave);
  if (signal.aborted || host.readyState === host.CLOSED) leave();
  await over;
  // A viewer may outlive many streamers.
  signal.removeEventListener('abort', leave);
  for (const end of ends) end();
  endConnection(host, 1000);
}

/** An error as a viewer is told it. */
export function viewerError(error: unknown): { code: ViewerErrorCode; message: string } {
  if (!(error instanceof SwitchboardError))
    return { code: 'unavailable', message: 'something went wrong here: try again' };
  const { message } = error;
  if (error.code === 'link_expired') return { code: 'expired', message };
  if (error instanceof UnauthenticatedError) return { code: 'unauthorised', message };
  if (error instanceof GoneError) return { code: error.code === 'desktop_stopped' ? 'stopped' : 'revoked', message };
  return { code: error.status === 403 ? 'forbidden' : 'unavailable', message };
}

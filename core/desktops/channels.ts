import { UnavailableError } from '../errors.ts';
import type { DesktopId, OrganisationId } from '../store/ids.ts';
import { type DesktopChannel, type OpenChannel, openChannel } from './channel.ts';
import type { Dialer } from './dialer.ts';

/** The channels of this process, one a Desktop. */
export interface Channels {
  /** The channel of a Desktop that runs; opened when first asked for. @throws UnavailableError */
  to(desktop: { organisation: OrganisationId; id: DesktopId; generation: number }): Promise<DesktopChannel>;
  close(): void;
}

/** A channel that nobody has asked for in so long is closed, in milliseconds, unless it has something to answer. */
const usuallyKeptMs = 60_000;

interface Kept {
  channel: Promise<OpenChannel>;
  timer: NodeJS.Timeout;
}

/** Keeps channels open for a while, so that a wall of stills or an agent at work does not dial for each. */
export function createChannels(dialer: Pick<Dialer, 'dial'>, { keptMs = usuallyKeptMs } = {}): Channels {
  /** By Desktop and generation: what was opened to an earlier one leads elsewhere. */
  const kept = new Map<string, Kept>();
  const closing = new AbortController();

  function forget(name: string, entry: Kept): void {
    clearTimeout(entry.timer);
    if (kept.get(name) === entry) kept.delete(name);
    entry.channel.then(
      (channel) => channel.close(),
      // It never was open; who asked for it has heard of it.
      () => undefined,
    );
  }

  function open(name: string, organisation: OrganisationId, desktop: DesktopId): Kept {
    const channel = dialer
      .dial({ organisation, desktop, kind: 'channel', signal: closing.signal })
      .then((socket) => openChannel(socket));
    let isBusy = () => false;
    const unused = () => {
      if (isBusy()) entry.timer.refresh();
      else forget(name, entry);
    };
    const entry: Kept = { channel, timer: setTimeout(unused, keptMs) };
    kept.set(name, entry);
    channel.then(
      (opened) => {
        isBusy = opened.isBusy;
        return opened.ended.then(() => forget(name, entry));
      },
      () => forget(name, entry),
    );
    return entry;
  }

  return {
    async to({ organisation, id, generation }) {
      if (closing.signal.aborted) throw new UnavailableError('this core is being stopped: try again in a moment');
      const name = `${organisation} ${id} ${generation}`;
      const entry = kept.get(name) ?? open(name, organisation, id);
      entry.timer.refresh();
      return await entry.channel;
    },
    close() {
      closing.abort(new UnavailableError('this core is being stopped: try again in a moment'));
      for (const [name, entry] of kept) forget(name, entry);
    },
  };
}

import { Client } from 'pg';
import type { LaneKey } from '../dispatch/lane.ts';

/**
 * "Something has been committed: look." A NOTIFY with an empty payload follows the commit, one in 5 ms a process, because inside
 * the transaction it costs more than half the throughput (it holds a database-wide lock through the flush). Whoever listens
 * must also poll: a notification may be lost while the connection is away.
 */
export interface Waking {
  /**
   * Says that something was committed. This process's listeners hear it at once, other processes within about 5 ms. `claimable`: what
   * it may have given a dispatcher or an outbox to claim (default either); other processes are not told.
   */
  announce(claimable?: Claimable): void;
  /** Says which Lanes have something to claim now; this process's loops try these alone. Other processes are told as ever. */
  announceLanes(lanes: readonly LaneKey[]): void;
  /**
   * Calls `listener` at every announcement of any process, coalesced. `lanes`: all that it may have made claimable, if that is
   * known. Returns what ends it.
   */
  listen(listener: (claimable: Claimable, lanes?: readonly LaneKey[]) => void): () => void;
  /**
   * Says that a Desktop, a Host or a viewer link was changed. A channel of its own: these change seldom, and whoever watches them need
   * not look at every message that is committed.
   */
  announceDesktops(): void;
  /** Calls `listener` at every announcement of {@link announceDesktops} by any process. It must poll as well. Returns what ends it. */
  listenDesktops(listener: () => void): () => void;
  close(): Promise<void>;
}

/** What may have become claimable by a commit; `nothing`: only those who read along care. */
export type Claimable = 'activation' | 'delivery' | 'either' | 'nothing';

function claimableOf(lanes: readonly LaneKey[]): Claimable {
  const kinds = new Set(lanes.map(({ kind }) => kind));
  const [kind = 'nothing'] = kinds;
  return kinds.size > 1 ? 'either' : kind;
}

const channel = 'switchboard';
const desktopsChannel = 'switchboard_desktops';
const coalesceMs = 5;
const reconnectMs = 1000;

/** Opens the one dedicated LISTEN connection, outside every pool. `listen: false` polls only (behind a transaction pooler). */
export async function openWaking(url: string, options: { listen?: boolean } = {}): Promise<Waking> {
  const listeners = new Set<(claimable: Claimable, lanes?: readonly LaneKey[]) => void>();
  const desktopListeners = new Set<() => void>();
  /** The channels to be notified by the next round. */
  const due = new Set<string>();
  let closed = false;
  let client: Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let pending: NodeJS.Timeout | undefined;
  let notifying = false;

  const wake = (claimable: Claimable, lanes?: readonly LaneKey[]) => {
    for (const listener of listeners) listener(claimable, lanes);
  };

  const wakeDesktops = () => {
    for (const listener of desktopListeners) listener();
  };

  function announce(claimable: Claimable, lanes?: readonly LaneKey[]): void {
    queueMicrotask(() => wake(claimable, lanes));
    tellOthers(channel);
  }

  function tellOthers(name: string): void {
    if (!client) return;
    due.add(name);
    pending ??= setTimeout(notify, coalesceMs);
  }

  async function connect(): Promise<void> {
    const next = new Client({ connectionString: url, application_name: 'switchboard listen', keepAlive: true });
    const lost = () => {
      if (client === next) client = undefined;
      next.removeAllListeners('notification');
      if (!closed && !retry) {
        retry = setTimeout(() => {
          retry = undefined;
          connect().catch(lost);
        }, reconnectMs);
        retry.unref();
      }
    };
    next.on('error', lost);
    next.on('end', lost);
    // Our own comes back too, and was heard when it was announced.
    next.on('notification', ({ processId, channel: name }) => {
      if (processId === Reflect.get(next, 'processID')) return;
      if (name === desktopsChannel) wakeDesktops();
      else wake('either');
    });
    await next.connect();
    await next.query(`listen ${channel}; listen ${desktopsChannel}`);
    client = next;
    // What was announced while nobody listened is found now.
    wake('either');
    wakeDesktops();
  }

  /** One at a time: what is announced while one is under way is told by the next. */
  function notify(): void {
    const current = client;
    if (!current || notifying) {
      pending = notifying ? setTimeout(notify, coalesceMs) : undefined;
      return;
    }
    pending = undefined;
    notifying = true;
    const notices = [...due].map((name) => `notify ${name}`).join('; ');
    due.clear();
    // A lost connection is mended by 'end'; polling covers the gap.
    current
      .query(notices)
      .catch(() => undefined)
      .finally(() => {
        notifying = false;
      });
  }

  if (options.listen !== false) await connect();

  return {
    announce: (claimable = 'either') => announce(claimable),
    announceLanes: (lanes) => announce(claimableOf(lanes), lanes),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    announceDesktops() {
      queueMicrotask(wakeDesktops);
      tellOthers(desktopsChannel);
    },
    listenDesktops(listener) {
      desktopListeners.add(listener);
      return () => desktopListeners.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      clearTimeout(pending);
      listeners.clear();
      desktopListeners.clear();
      await client?.end();
    },
  };
}

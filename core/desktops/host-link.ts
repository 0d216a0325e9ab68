import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import { UnavailableError } from '../errors.ts';
import type { HostId } from '../store/ids.ts';
import { applyControl } from './apply-control.ts';
import { applyReport } from './apply-report.ts';
import { readDesiredDesktops } from './desired-desktops.ts';
import type { DesktopParts } from './desktop-parts.ts';
import { type FromCore, type FromHost, fromHost, linkVersion, type Registration } from './host-messages.ts';
import { hostSilentSeconds } from './place-desktop.ts';

/** What must not be lost is tried for so long, and so often, in milliseconds. */
const enteredWithinMs = 30_000;
const againMs = 500;

/** The link of one Host, in the process that it dialled. */
export interface HostLink {
  /** Its name among all connections of Hosts; the Host's row has that of the latest. */
  readonly name: string;
  /** Undefined: it has not registered yet. */
  readonly host: HostId | undefined;
  send(message: FromCore): void;
  /** Tells the Host what it should run, if that has changed. */
  tellDesired(): Promise<void>;
  close(): void;
}

/**
 * Serves the link of a Host whose token has been checked: enters what it says, in order, and answers its heartbeats. What cannot be
 * entered ends the link: the Host dials again and says everything anew.
 *
 * @param name names this connection among all: a Host that dials again makes the older connection void
 * @param registered is called once the Host is known
 */
export function serveHostLink(parts: DesktopParts, socket: WebSocket, name: string, registered: () => void): HostLink {
  const { database, log } = parts;
  let host: HostId | undefined;
  let told = '';
  let lastHeard = performance.now();
  let handling: Promise<void> = Promise.resolve();

  const silence = setInterval(() => {
    if (performance.now() - lastHeard > hostSilentSeconds * 1000) socket.terminate();
  }, 1000);

  function send(message: FromCore): void {
    socket.send(JSON.stringify(message));
  }

  function refuse(message: string): void {
    log.warn({ host }, `a sandbox host was refused: ${message}`);
    send({ type: 'refused', message });
    socket.close(1008);
  }

  async function register(message: Registration): Promise<void> {
    if (message.v !== linkVersion)
      return refuse(`it speaks version ${message.v}, the core ${linkVersion}: run the same version of both`);
    host = message.host;
    await database.query(
      `insert into host (id, capacity, drivers, encoders, link) values ($1, $2, $3, $4, $5)
       on conflict (id) do update set capacity = excluded.capacity, drivers = excluded.drivers, encoders = excluded.encoders,
         link = excluded.link, last_seen_at = now()`,
      [host, message.capacity, JSON.stringify(message.drivers), JSON.stringify(message.encoders), name],
    );
    log.info({ host, capacity: message.capacity }, 'a sandbox host is connected');
    send({ type: 'registered', host });
    registered();
    parts.waking.announceDesktops();
  }

  async function beat(): Promise<void> {
    const rows = await database.query('update host set last_seen_at = now() where id = $1 and link = $2 returning 1', [
      host,
      name,
    ]);
    if (rows.length > 0) return send({ type: 'alive' });
    refuse('another connection speaks for this host: give each host a name of its own (HOST_NAME)');
  }

  async function handle(message: FromHost): Promise<void> {
    if (message.type === 'register') return await register(message);
    const from = host;
    if (!from) return refuse('it said something before it registered');
    switch (message.type) {
      case 'heartbeat':
        return await beat();
      case 'desktop':
        return await applyReport(parts, from, message);
      case 'control':
        return await untilEntered(() => applyControl(parts, from, message));
    }
  }

  socket.on('message', (data, isBinary) => {
    lastHeard = performance.now();
    const message = isBinary ? undefined : read(data);
    if (!message) return refuse('it said what the core does not know: run the same version of both');
    handling = handling
      .then(() => (socket.readyState === socket.OPEN ? handle(message) : undefined))
      .catch((error: unknown) => {
        log.error({ err: error, host, message: message.type }, 'what a sandbox host said could not be entered');
        socket.close(1011);
      });
  });
  socket.on('error', (error) => log.debug({ err: error, host }, 'the link of a sandbox host broke'));
  socket.once('close', () => {
    clearInterval(silence);
    if (host) log.info({ host }, 'a sandbox host is no longer connected');
  });

  return {
    name,
    get host() {
      return host;
    },
    send,
    async tellDesired() {
      if (!host || socket.readyState !== socket.OPEN) return;
      const desktops = await readDesiredDesktops(database, parts.settings, host);
      const text = JSON.stringify(desktops);
      if (text === told || socket.readyState !== socket.OPEN) return;
      told = text;
      send({ type: 'desktops', desktops });
    },
    close: () => socket.close(1001),
  };
}

/** Who has the input is said once, and an agent may wait for it: while the database is away it is tried again. */
async function untilEntered(enter: () => Promise<void>): Promise<void> {
  const giveUpAt = performance.now() + enteredWithinMs;
  for (;;) {
    try {
      return await enter();
    } catch (error) {
      if (!(error instanceof UnavailableError) || performance.now() > giveUpAt) throw error;
    }
    await sleep(againMs);
  }
}

function read(data: RawData): FromHost | undefined {
  try {
    return fromHost.parse(JSON.parse(String(data)));
  } catch {
    return undefined;
  }
}

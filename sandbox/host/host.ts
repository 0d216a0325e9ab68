import { type Desktop, type DesktopListener, startDesktop } from '../desktop/desktop.ts';
import type { StartStreamer } from '../desktop/streamer-on-demand.ts';
import { type Driver, DriverError, type Report } from '../drivers/driver.ts';
import { workingEncoders } from '../encode/probe-encoders.ts';
import type { HostSettings } from '../settings.ts';
import { defaultCapacity } from './capacity.ts';
import { checkDial, DialRefusedError } from './check-dial.ts';
import { createDesktopSet } from './desktop-set.ts';
import type { HostFolder } from './host-folder.ts';
import type { HostLog } from './host-log.ts';
import { type LinkOptions, openLink } from './link.ts';
import { type DesiredDesktop, type FromCore, type FromHost, linkVersion } from './messages.ts';
import { remoteEncoderOf } from './probe-pictures.ts';
import { pruneRecordings } from './prune-recordings.ts';
import { type Channel, serveChannel } from './serve-channel.ts';

/** What a host is made of. */
export interface HostParts {
  settings: HostSettings;
  /** Its folder, opened; closed when the host stops. */
  folder: HostFolder;
  /** Shown to the core: {@link HostSettings}' HOST_TOKEN, or the one that the embedding core has made. */
  token: string;
  /** Null: nothing here can run a Desktop; the host registers all the same and says why. */
  driver: Driver | null;
  drivers: readonly Report[];
  encoders: readonly Report[];
  /** Whether Desktops have sound. */
  sound: boolean;
  startStreamer: StartStreamer;
  /** Told when a Desktop is being started: soon somebody will look at it. */
  prepareStreamer?: () => void;
  log: HostLog;
  /** Other times than the real ones, for tests. */
  times?: Pick<LinkOptions, 'heartbeatMs' | 'deadAfterMs' | 'fenceMs' | 'reconnectAtMostMs'> & {
    idleMs?: number;
    graceMs?: number;
  };
}

/** A host at work. */
export interface RunningHost {
  readonly capacity: number;
  /** Stops its Desktops and lets go of the core. */
  stop(): Promise<void>;
}

type Dial = Extract<FromCore, { type: 'dial' }>;
type ControlMessage = Extract<FromHost, { type: 'control' }>;

const pruneEveryMs = 3_600_000;
/** What people did while the core was away, and which nobody has read yet. */
const untoldAtMost = 100;

/** Starts the host: ends what a killed one has left behind, and dials the core, which says from then on what runs here. */
export async function startHost(parts: HostParts): Promise<RunningHost> {
  const { settings, folder, driver, log, times } = parts;
  const capacity = driver ? (settings.DESKTOP_CAPACITY ?? defaultCapacity()) : 0;
  const channels = new Set<Channel>();
  const untold: ControlMessage[] = [];
  let stopping = false;
  try {
    await driver?.sweep(new Set());
  } catch (err) {
    log.error({ err }, 'what an earlier host has left behind could not be ended');
  }

  const set = createDesktopSet({
    log,
    start: (wanted, listener) => startOne(parts, wanted, listener),
    report: (report) => void link.send(report),
    control(desktop, generation, change) {
      const steps = change.state === 'returned' ? change.steps : [];
      const { state, subject, name } = change;
      tell({ type: 'control', desktop, generation, state, subject, name, steps });
    },
  });

  const link = openLink(
    {
      coreUrls: settings.CORE_URL,
      token: parts.token,
      log,
      registration: {
        type: 'register',
        v: linkVersion,
        host: folder.host,
        capacity,
        drivers: [...parts.drivers],
        encoders: [...parts.encoders],
      },
      ...times,
    },
    {
      registered() {
        for (const report of set.reports()) link.send(report);
        for (const message of untold.splice(0)) tell(message);
      },
      desktops(wanted) {
        if (!stopping) void set.reconcile(wanted);
      },
      dial: (request) => void dial(request),
      silent() {
        log.error("no core was heard in time: the Desktops here may be another host's now, so they are stopped");
        void set.endAll('its host lost the core');
      },
    },
  );

  function tell(message: ControlMessage): void {
    if (link.send(message)) return;
    untold.push(message);
    untold.splice(0, untold.length - untoldAtMost);
  }

  async function dial({ desktop: id, kind, url, ticket, person }: Dial): Promise<void> {
    try {
      const target = checkDial(url, settings.CORE_URL);
      if (kind === 'channel') {
        const channel = serveChannel({
          url: target,
          ticket,
          find: () => set.find(id),
          log: log.child({ desktop: id }),
        });
        channels.add(channel);
        await channel.closed;
        channels.delete(channel);
        return;
      }
      const desktop = await set.find(id);
      if (!desktop || !person) log.warn({ desktop: id }, 'a viewer was asked for where no Desktop runs');
      else await desktop.dial({ url: target.href, ticket, person });
    } catch (error) {
      if (error instanceof DialRefusedError) log.warn({ desktop: id, why: error.message }, 'not dialled');
      else log.error({ err: error, desktop: id }, 'a viewer could not be connected');
    }
  }

  const prune = () =>
    pruneRecordings(folder.recordings, {
      days: settings.RECORDINGS_DAYS,
      bytes: settings.RECORDINGS_GIB * 1024 ** 3,
    }).catch((err) => log.error({ err }, 'old recordings could not be removed'));
  void prune();
  const pruning = setInterval(prune, pruneEveryMs);

  return {
    capacity,
    async stop() {
      stopping = true;
      clearInterval(pruning);
      // First, without a word of what stops: a host that is back within 30 s gets its Desktops again, and else another gets them.
      link.close();
      for (const channel of channels) channel.close();
      await set.endAll('its host is stopping');
      await folder.close();
    },
  };
}

async function startOne(
  { folder, driver, startStreamer, prepareStreamer, encoders, sound, settings, log, times }: HostParts,
  wanted: DesiredDesktop,
  listener: DesktopListener,
): Promise<Desktop> {
  if (!driver) throw new DriverError('nothing on this host can run a Desktop: npx switchboard host doctor says why');
  const [home, runtime] = await Promise.all([folder.openHome(wanted.home), folder.openRuntime(wanted.id)]);
  const { recordings } = folder;
  prepareStreamer?.();
  const working = { names: workingEncoders(encoders), remote: remoteEncoderOf(settings) };
  return await startDesktop(
    { driver, startStreamer, encoders: working, sound, fps: settings.DESKTOP_FPS, log, ...times },
    wanted,
    { home, runtime, recordings, removeRuntime: () => folder.removeRuntime(runtime) },
    listener,
  );
}

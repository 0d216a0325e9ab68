import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { StartStreamer } from '../../desktop/streamer-on-demand.ts';
import { type HostParts, type RunningHost, startHost } from '../host.ts';
import { openHostFolder } from '../host-folder.ts';
import type { DesiredDesktop } from '../messages.ts';
import { readHostSettings } from '../read-host-settings.ts';
import { type CoreStandIn, startCoreStandIn } from './core-stand-in.ts';
import { type DriverStandIn, driverStandIn } from './driver-stand-in.ts';
import { type StreamerStandIn, streamerStandIns } from './streamer-stand-in.ts';

/** A host and a core that it has dialled, in this process, in folders of their own. */
export interface HostHouse extends AsyncDisposable {
  readonly core: CoreStandIn;
  readonly driver: DriverStandIn;
  readonly streamers: StreamerStandIn[];
  readonly host: RunningHost;
  readonly directory: string;
  /** Lines that the host has logged, as JSON. */
  readonly logged: string[];
}

/** The token of every house. */
export const houseToken = 'a-token-of-the-test-house';

/**
 * Opens a house. Its host says each 50 ms that it is alive and dials again soon, but nothing in it is given up in the time of a test:
 * what is about silence or idleness passes the times for that.
 */
export async function openHostHouse(
  options: {
    screens?: boolean;
    startStreamer?: StartStreamer;
    encoders?: HostParts['encoders'];
    sound?: boolean;
    times?: HostParts['times'];
  } = {},
): Promise<HostHouse> {
  const directory = await mkdtemp(join(tmpdir(), 'host-'));
  const core = await startCoreStandIn(houseToken);
  const driver = driverStandIn({ screens: options.screens ?? false });
  const streamers = streamerStandIns();
  const logged: string[] = [];
  const settings = readHostSettings({
    environment: { CORE_URL: core.url, HOST_DIR: directory, HOST_NAME: 'test', DESKTOP_CAPACITY: '4' },
    directory,
  });
  const folder = await openHostFolder({ directory, name: settings.HOST_NAME });
  const host = await startHost({
    settings,
    folder,
    token: houseToken,
    driver,
    drivers: [await driver.probe()],
    encoders: options.encoders ?? [],
    sound: options.sound ?? false,
    startStreamer: options.startStreamer ?? streamers.start,
    log: pino({ level: 'info' }, { write: (line) => void logged.push(line) }),
    times: {
      heartbeatMs: 50,
      deadAfterMs: 30_000,
      fenceMs: 30_000,
      reconnectAtMostMs: 200,
      idleMs: 30_000,
      graceMs: 30_000,
      ...options.times,
    },
  });
  return {
    core,
    driver,
    streamers: streamers.started,
    host,
    directory,
    logged,
    async [Symbol.asyncDispose]() {
      await host.stop();
      await core[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

/** A Desktop as the core wants it. */
export function wish(id: string, generation = 1, other: Partial<DesiredDesktop> = {}): DesiredDesktop {
  return {
    id,
    generation,
    home: `home-of-${id}`,
    width: 640,
    height: 480,
    network: [],
    limits: { memoryBytes: 512 * 1024 ** 2, cpus: 1, processes: 128, diskBytes: 1024 ** 3 },
    recording: null,
    ...other,
  };
}

/** Waits until `check` holds, looking every 10 ms. Throws after `ms`. */
export async function until(check: () => boolean, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!check()) {
    if (performance.now() > end) throw new Error(`it did not come about within ${ms} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

import { PassThrough } from 'node:stream';
import type { Core } from '../../core.ts';
import type { Door } from '../../delivery/door.ts';
import { coreForTests, eventually } from '../../dispatch/testing/core-for-tests.ts';
import { createHttpApp } from '../../http/http-app.ts';
import { type Listening, listen } from '../../http/listen.ts';
import { createReadiness } from '../../http/readiness.ts';
import { createLog } from '../../log/log.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { seed } from '../../organisation/seed.ts';
import { chatPrompts } from '../../prompts/chat-prompts.ts';
import type { DesktopId, ThreadId, WorkerId } from '../../store/ids.ts';
import { type TestDatabase, testDatabase } from '../../store/testing/test-database.ts';
import { append } from '../../streams/append.ts';
import { type Desktop, getDesktop } from '../desktop.ts';
import { type DesktopSettings, desktopValues } from '../desktop-settings.ts';
import { serveDesktops } from '../desktops.ts';
import { ensureDesktop } from '../ensure-desktop.ts';
import type { StillLimits } from '../stills.ts';
import { type StandInHost, type StandInOptions, startStandInHost } from './stand-in-host.ts';

export const hostToken = 'the token of the hosts of a test';

/** A core process with its endpoints. */
export interface HouseCore {
  core: Core;
  url: string;
  /** Everything that it has logged, at the level of trace. */
  logged(): string;
  close(): Promise<void>;
}

/** A seeded house in which Desktops can run, on Hosts that are stand-ins. */
export interface DesktopHouse extends AsyncDisposable {
  database: TestDatabase;
  first: HouseCore;
  core: Core;
  url: string;
  /** One more core process on the same database. */
  addCore(options?: HouseOptions): Promise<HouseCore>;
  addHost(options?: Partial<StandInOptions>): Promise<StandInHost>;
  /** A thread in General, which the owner and Assistant read. */
  thread(body?: string): Promise<ThreadId>;
  /** Assistant's Desktop in a thread, once it runs. */
  running(thread?: ThreadId, worker?: WorkerId): Promise<Desktop>;
  desktop(id: DesktopId): Promise<Desktop>;
  /** What the core itself has said in a thread. */
  notices(thread: ThreadId): Promise<string[]>;
}

export interface HouseOptions {
  settings?: Partial<DesktopSettings>;
  doors?: readonly Door[];
  viewerDirectory?: string;
  /** A core that has just started calls no Host lost; 0: at once. */
  graceMs?: number;
  renewEveryMs?: number;
  unknownAtMost?: number;
  stills?: StillLimits;
}

/** Opens a house of a test's own. */
export async function openDesktopHouse(options: HouseOptions = {}): Promise<DesktopHouse> {
  await using opened = new AsyncDisposableStack();
  const database = await testDatabase();
  opened.defer(() => database.close());
  const hosts: StandInHost[] = [];
  const first = await openCore(database, options);
  opened.defer(() => first.close());
  await seed(first.core.database);
  const closing = opened.move();
  const { core, url } = first;

  async function thread(body = 'please look something up'): Promise<ThreadId> {
    const appended = await append(core, {
      organisation: 'default',
      stream: 's-general',
      author: 'w-owner',
      sourceKind: 'human',
      message: { body },
      silent: true,
      addressed: ['w-assistant'],
    });
    return appended.thread;
  }

  return {
    database,
    first,
    core,
    url,
    async addCore(more = {}) {
      const added = await openCore(database, { ...options, ...more });
      closing.defer(() => added.close());
      return added;
    },
    async addHost(more = {}) {
      const host = startStandInHost({ coreUrl: url, token: hostToken, ...more });
      hosts.push(host);
      const status = await host.opened;
      if (status !== 101) throw new Error(`the host was not taken: ${status}\n${first.logged()}`);
      return host;
    },
    thread,
    async running(inThread, worker = 'w-assistant') {
      const { id } = await ensureDesktop(core, {
        organisation: 'default',
        worker,
        thread: inThread ?? (await thread()),
      });
      return await eventually(async () => {
        const desktop = await getDesktop(core.database, 'default', id);
        return desktop.state === 'running' && desktop;
      });
    },
    desktop: (id) => getDesktop(core.database, 'default', id),
    async notices(inThread) {
      const rows = await core.database.query<{ body: string }>(
        `select body from event where thread = $1 and source_kind = 'notice' order by position`,
        [inThread],
      );
      return rows.map(({ body }) => body);
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) host.kill();
      await closing.disposeAsync();
    },
  };
}

async function openCore(database: TestDatabase, options: HouseOptions): Promise<HouseCore> {
  const lines: string[] = [];
  const to = new PassThrough();
  to.on('data', (line) => lines.push(String(line)));
  const log = createLog({ level: 'trace', to });
  const http = createHttpApp({ log, metrics: createMetrics(), readiness: createReadiness(), metricsAllow: [] });
  const listening: Listening = await listen(http.app, { host: '127.0.0.1', port: 0, upgrades: http.upgrades });
  const { core: bare, close } = await coreForTests({
    url: database.url,
    ...(options.doors ? { doors: options.doors } : {}),
    desktops: {
      log,
      publicUrl: listening.url,
      advertiseUrl: listening.url,
      hostToken,
      settings: { ...desktopValues({}), ...options.settings },
    },
  });
  const core: Core = { ...bare, prompts: chatPrompts };
  const running = serveDesktops(core, http, {
    times: {
      graceMs: options.graceMs ?? 0,
      everyMs: 200,
      renewEveryMs: options.renewEveryMs,
      unknownAtMost: options.unknownAtMost,
      ...options.stills,
    },
    viewerDirectory: options.viewerDirectory,
  });
  return {
    core,
    url: listening.url,
    logged: () => lines.join(''),
    async close() {
      await running.stop();
      await listening.close(0);
      await close();
    },
  };
}

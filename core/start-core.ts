import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Settings, SettingsValues } from './config/setting.ts';
import type { Core } from './core.ts';
import type { Bot, RunningBot } from './delivery/bot.ts';
import type { Door } from './delivery/door.ts';
import { startOutbox } from './delivery/outbox.ts';
import { desktopValues } from './desktops/desktop-settings.ts';
import { createDesktops, serveDesktops } from './desktops/desktops.ts';
import { startDispatcher } from './dispatch/dispatcher.ts';
import { createDrafts } from './dispatch/drafts.ts';
import type { HttpApp } from './http/http-app.ts';
import type { Readiness } from './http/readiness.ts';
import type { Log } from './log/log.ts';
import { mountMcp } from './mcp/mount-mcp.ts';
import { openWorkerMcp } from './mcp/open-worker-mcp.ts';
import type { Metrics } from './metrics/metrics.ts';
import { chatPrompts } from './prompts/chat-prompts.ts';
import type { Runtime } from './runtimes/runtime.ts';
import type { SecretKey } from './secrets/secret-key.ts';
import type { Database } from './store/database.ts';
import { openWaking } from './store/waking.ts';
import { findTool } from './tools/index.ts';

/** What a running core is made of. */
export interface CoreParts {
  database: Database;
  log: Log;
  metrics: Metrics;
  runtime: Runtime;
  http: HttpApp;
  readiness: Readiness;
  bots: readonly Bot<Settings>[];
  /** Every key's value: each bot reads its own. */
  settings: Readonly<Record<string, unknown>>;
  configured: ReadonlySet<string>;
  publicUrl: string;
  /** How sandbox Hosts reach this very process; `publicUrl` if left out. */
  advertiseUrl?: string | undefined;
  /** What sandbox Hosts show. Left out: none is taken. */
  hostToken?: string | undefined;
  /** The built viewer page. Left out: links to Desktops open a page that says that there is none. */
  viewerDirectory?: string | undefined;
  historyTokens: number;
  slots: number;
  dataDirectory: string;
  secretKey: SecretKey;
}

/** A core at work. */
export interface RunningCore {
  core: Core;
  /** How to reach each bot, and what to mend. */
  describe: string[];
  warnings: string[];
  /** No new claims; what runs gets `graceMs`, then its leases are given back. The database is the caller's to stop, last. */
  stop(graceMs: number): Promise<void>;
}

/** Starts dispatcher, outbox, MCP endpoint and bots on a database that has been migrated. */
export async function startCore(parts: CoreParts): Promise<RunningCore> {
  const { database, log, metrics, readiness } = parts;
  const waking = await openWaking(database.url);
  const processName = `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`;
  const { publicUrl, secretKey, advertiseUrl = publicUrl, hostToken } = parts;
  const shared = { database, waking, log, metrics, processName, publicUrl };
  const core: Core = {
    ...shared,
    runtime: parts.runtime,
    doors: doorsOf(parts),
    desktops: createDesktops({
      ...shared,
      settings: desktopValues(parts.settings),
      secretKey,
      advertiseUrl,
      hostToken,
    }),
    prompts: chatPrompts,
    drafts: createDrafts(),
    historyTokens: parts.historyTokens,
  };
  metrics.countLanesBy(() => countWaitingLanes(database));
  parts.http.mount('/', mountMcp(core, { secretKey, allowedHosts: [new URL(publicUrl).host] }));
  const desktops = serveDesktops(core, parts.http, { viewerDirectory: parts.viewerDirectory });

  const outbox = startOutbox(core);
  const dispatcher = startDispatcher(core, {
    slots: parts.slots,
    outbox,
    tools: {
      open: openWorkerMcp,
      isIdempotent: (tool) => findTool(tool)?.idempotent ?? false,
      endsRun: (tool) => findTool(tool)?.endsActivation ?? false,
    },
  });
  const running: RunningBot[] = [];

  async function stop(graceMs: number): Promise<void> {
    // The doors first: what is told "received" from now on would only wait for the next start.
    await Promise.all(running.map((bot) => bot.stop()));
    await Promise.all([dispatcher.stop(graceMs), outbox.stop(graceMs)]);
    // What runs may use a Desktop to its end.
    await desktops.stop();
    await waking.close();
  }

  try {
    for (const bot of parts.bots) {
      const context = {
        mount: parts.http.mount,
        publicUrl,
        secretKey,
        dataDirectory: parts.dataDirectory,
        configured: parts.configured,
      };
      const started = await bot.start(core, valuesOf(bot, parts.settings), context);
      if (started) running.push(started);
    }
  } catch (error) {
    await stop(0);
    throw error;
  }
  readiness.set('dispatch', true);
  return {
    core,
    describe: running.flatMap((bot) => bot.describe),
    warnings: running.flatMap((bot) => bot.warnings),
    stop,
  };
}

function doorsOf(parts: CoreParts): Map<string, Door> {
  const doors = new Map<string, Door>();
  for (const bot of parts.bots) {
    const door = bot.door?.(valuesOf(bot, parts.settings));
    if (door) doors.set(door.kind, door);
  }
  return doors;
}

/** A bot sees its own keys only. */
function valuesOf(bot: Bot<Settings>, all: Readonly<Record<string, unknown>>): SettingsValues<Settings> {
  return Object.fromEntries(Object.keys(bot.settings).map((key) => [key, all[key]])) as SettingsValues<Settings>;
}

async function countWaitingLanes(database: Database): Promise<{ activation: number; delivery: number }> {
  const [row] = await database.query<{ activation: number; delivery: number }>(
    `select count(*) filter (where kind = 'activation') as activation, count(*) filter (where kind = 'delivery') as delivery
     from lane where ready_at <= now()`,
  );
  return row ?? { activation: 0, delivery: 0 };
}

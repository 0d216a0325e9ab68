import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { advertiseUrlFor, type coreSettings, publicUrlFor } from './config/core-settings.ts';
import { type Configuration, isConfigured, readBootstrapSettings, readSettings } from './config/read-settings.ts';
import { readSources } from './config/read-sources.ts';
import type { Settings, SettingsValues } from './config/setting.ts';
import { listStored } from './config/stored-settings.ts';
import type { Bot } from './delivery/bot.ts';
import { expireLeases } from './dispatch/expire-leases.ts';
import { createHttpApp } from './http/http-app.ts';
import { listen } from './http/listen.ts';
import { createReadiness } from './http/readiness.ts';
import { keepHeapSmall } from './keep-heap-small.ts';
import { createLog, type Log } from './log/log.ts';
import { createMetrics } from './metrics/metrics.ts';
import { makePairingCode } from './organisation/pairing.ts';
import { defaultOrganisation, seed } from './organisation/seed.ts';
import { chooseRuntime } from './runtimes/choose-runtime.ts';
import { loadSecretKey } from './secrets/load-secret-key.ts';
import { startCore } from './start-core.ts';
import { openDatabase } from './store/database.ts';
import { migrate } from './store/migrate.ts';
import { reachDatabase } from './store/reach-database.ts';
import { welcome } from './welcome.ts';

/** What runs when the process is told to end gets so long, then its leases are given back (design, issue of the spine). */
const graceMs = 20_000;

type Values = SettingsValues<typeof coreSettings>;

/** A sandbox Host beside the core: main.ts knows one, the core does not. */
export interface HostBeside {
  /** Starts it, unless it is configured not to run. */
  start(parts: {
    /** Where it dials this core. */
    coreUrl: string;
    hostToken: string;
    dataDirectory: string;
    log: Log;
  }): Promise<{ describe: string[]; warnings: string[]; stop(): Promise<void> } | undefined>;
}

/**
 * `npm start`: reads the configuration, reaches and migrates the database, starts everything, prints how to talk to it, and lives
 * until SIGTERM, SIGINT or SIGHUP. Gives the exit code.
 *
 * @throws ConfigurationError in one sentence for whatever a person can mend; by then everything that had started has stopped.
 */
export async function start(house: {
  settings: Settings & typeof coreSettings;
  bots: readonly Bot<Settings>[];
  /** The built viewer page. */
  viewerDirectory?: string;
  host?: HostBeside;
}): Promise<number> {
  const begun = performance.now();
  keepHeapSmall();
  const stopped = untilSignalled();
  const sources = readSources({ environment: process.env, directory: process.cwd() });
  const boot = readBootstrapSettings(house.settings, sources);
  const { DATA_DIR, DATABASE_URL, SECRET_KEY } = boot.values as Pick<
    Values,
    'DATA_DIR' | 'DATABASE_URL' | 'SECRET_KEY'
  >;
  const dataDirectory = resolve(DATA_DIR);
  // LOG_LEVEL is not read yet: a start that is refused says its one sentence and no more.
  const log = createLog({ level: 'warn' });
  const cleanups: (() => Promise<void>)[] = [];
  try {
    const secretKey = await loadSecretKey({ DATABASE_URL, SECRET_KEY, DATA_DIR: dataDirectory });
    const reached = await reachDatabase({
      databaseUrl: DATABASE_URL,
      dataDirectory,
      as: 'core',
      log,
      onLost: (error) => {
        log.fatal({ err: error }, 'the data directory was lost to another core');
        process.exit(1);
      },
    });
    cleanups.push(() => reached.stop());
    await migrate(reached.url);
    const database = await openDatabase(reached.url);
    cleanups.push(() => database.close());
    // Alone on it: what is still held was held by a core that was killed.
    if (DATABASE_URL === undefined) await expireLeases(database);
    const seeded = await seed(database);

    const configuration = await readSettings(house.settings, sources, () =>
      listStored({ database, organisation: defaultOrganisation, secretKey }),
    );
    const values = configuration.values as Values;
    log.level = values.LOG_LEVEL;
    if (configuration.unknownStored.length > 0)
      log.warn({ keys: configuration.unknownStored }, 'stored settings that this version does not know');
    const { runtime, warnings } = await chooseRuntime(values, database);

    const metrics = createMetrics();
    const readiness = createReadiness('http', 'dispatch', 'database');
    readiness.set('database', async () => (await database.query('select 1')).length === 1);
    const http = createHttpApp({ log, metrics, readiness, metricsAllow: values.METRICS_ALLOW });
    const listening = await listen(http.app, {
      host: values.HOST,
      port: values.PORT,
      upgrades: http.upgrades,
      log,
    });
    cleanups.push(() => listening.close());
    readiness.set('http', true);
    const publicUrl =
      values.PORT === 0 && !isConfigured(configuration, 'PUBLIC_URL')
        ? publicUrlFor(values.HOST, listening.port)
        : values.PUBLIC_URL;
    const advertiseUrl =
      values.PORT === 0 && !isConfigured(configuration, 'ADVERTISE_URL')
        ? advertiseUrlFor(values.HOST, listening.port)
        : values.ADVERTISE_URL;
    // Without one only the Host that is started here can know it.
    const hostToken = values.HOST_TOKEN ?? randomBytes(32).toString('base64url');

    const running = await startCore({
      database,
      log,
      metrics,
      runtime,
      http,
      readiness,
      bots: house.bots,
      settings: configuration.values,
      configured: configuredKeys(configuration),
      publicUrl,
      advertiseUrl,
      hostToken,
      viewerDirectory: house.viewerDirectory,
      historyTokens: values.HISTORY_TOKENS,
      slots: values.DISPATCH_SLOTS,
      dataDirectory,
      secretKey,
    });
    cleanups.push(async () => {
      readiness.set('dispatch', false);
      await running.stop(graceMs);
    });
    const host = await house.host?.start({ coreUrl: listening.url, hostToken, dataDirectory, log });
    // Stopped after the core: what runs may use a Desktop to its end.
    if (host) cleanups.splice(-1, 0, () => host.stop());
    const pairingCode = seeded ? await makePairingCode(database, defaultOrganisation, 'w-owner') : undefined;
    process.stdout.write(
      welcome({
        seconds: (performance.now() - begun) / 1000,
        publicUrl,
        describe: [...running.describe, ...(host?.describe ?? [])],
        warnings: [...warnings, ...running.warnings, ...(host?.warnings ?? [])],
        model: values.MODEL,
        pairingCode,
      }),
    );

    const signal = await stopped;
    log.info({ signal }, 'stopping: what runs gets up to 20 s');
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
  return 0;
}

/** One Ctrl-C can arrive twice, from the terminal and through the launcher. */
const sameSignalMs = 1000;

/** The first signal to end; a second one ends the process at once, and the next start picks up what it left. */
function untilSignalled(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    let first: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (first !== undefined && performance.now() - first > sameSignalMs) process.exit(130);
        first ??= performance.now();
        done(signal);
      });
  });
}

function configuredKeys(configuration: Configuration<Settings>): Set<string> {
  return new Set(Object.keys(configuration.values).filter((key) => isConfigured(configuration, key)));
}

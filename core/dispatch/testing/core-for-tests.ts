import { createSecretKey } from 'node:crypto';
import { pino } from 'pino';
import type { Core } from '../../core.ts';
import type { Door } from '../../delivery/door.ts';
import type { DesktopParts } from '../../desktops/desktop-parts.ts';
import { desktopValues } from '../../desktops/desktop-settings.ts';
import { createDesktops } from '../../desktops/desktops.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { openDatabase } from '../../store/database.ts';
import { newId, type OrganisationId, type StreamId, type WorkerId } from '../../store/ids.ts';
import { openWaking } from '../../store/waking.ts';
import { createDrafts } from '../drafts.ts';
import { activationStreamOf } from '../steps.ts';

/** A core on a database of a test's own. Several on one URL are several processes, but for the process. */
export async function coreForTests(options: {
  url: string;
  runtime?: Runtime;
  doors?: readonly Door[];
  name?: string;
  /** Of Desktops; the rest has defaults. */
  desktops?: Partial<DesktopParts>;
}): Promise<{ core: Core; close(): Promise<void> }> {
  const database = await openDatabase(options.url);
  const waking = await openWaking(options.url);
  const silent: Runtime = { name: 'silent', run: async () => ({ text: '' }) };
  const shared = {
    database,
    waking,
    log: options.desktops?.log ?? pino({ level: process.env.LOG_LEVEL ?? 'silent' }),
    metrics: createMetrics(),
    publicUrl: options.desktops?.publicUrl ?? 'http://localhost:8080',
    processName: options.name ?? newId('a'),
  };
  const desktops = createDesktops({
    ...shared,
    settings: desktopValues({}),
    secretKey: createSecretKey('a secret key that is only for tests', 'utf8'),
    advertiseUrl: 'http://localhost:8080',
    hostToken: undefined,
    ...options.desktops,
  });
  const core: Core = {
    ...shared,
    runtime: options.runtime ?? silent,
    doors: new Map((options.doors ?? []).map((door) => [door.kind, door])),
    desktops,
    prompts: { inChat: async () => null },
    drafts: createDrafts(),
    historyTokens: 32_000,
  };
  return {
    core,
    async close() {
      await desktops.close();
      await waking.close();
      await database.close();
    },
  };
}

/** An organisation with a channel, a mail Stream, and Workers by name: the smallest house a test can live in. */
export async function furnish(
  core: Core,
  organisation: OrganisationId,
  workers: readonly { id: WorkerId; kind: 'human' | 'ai'; mode?: 'all' | 'mentions'; concurrency?: number }[],
): Promise<{ channel: StreamId; mail: StreamId }> {
  const channel: StreamId = 's-general';
  const mail: StreamId = 's-mail';
  await core.database.query(`insert into organisation (id, name) values ($1, $1)`, [organisation]);
  for (const worker of workers)
    await core.database.query(
      `insert into worker (organisation, id, name, kind, concurrency) values ($1, $2, $3, $4, $5)`,
      [organisation, worker.id, worker.id.slice(2), worker.kind, worker.concurrency ?? 4],
    );
  const streams: [StreamId, string][] = [
    [channel, 'channel'],
    [mail, 'mail'],
    ...workers.map((worker): [StreamId, string] => [activationStreamOf(worker.id), 'activation']),
  ];
  for (const [id, kind] of streams)
    await core.database.query(`insert into stream (organisation, id, name, kind) values ($1, $2, $2, $3)`, [
      organisation,
      id,
      kind,
    ]);
  await core.database.query(
    `insert into binding (organisation, id, stream, kind, external_id) values ($1, 'b-mail', $2, 'mail', 'assistant')`,
    [organisation, mail],
  );
  for (const worker of workers)
    if (worker.mode)
      await core.database.query(
        `insert into subscription (organisation, worker, stream, mode) values ($1, $2, $3, $4)`,
        [organisation, worker.id, channel, worker.mode],
      );
  return { channel, mail };
}

/** Waits until `check` gives something, looking every 10 ms. Throws after `ms`. */
export async function eventually<T>(check: () => Promise<T | null | undefined | false>, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`nothing came of it within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

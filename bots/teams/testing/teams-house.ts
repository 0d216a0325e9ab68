import { createSecretKey } from 'node:crypto';
import { readSettings } from '../../../core/config/read-settings.ts';
import type { Settings } from '../../../core/config/setting.ts';
import type { Core } from '../../../core/core.ts';
import type { Bot } from '../../../core/delivery/bot.ts';
import { createHttpApp } from '../../../core/http/http-app.ts';
import { listen } from '../../../core/http/listen.ts';
import { createReadiness } from '../../../core/http/readiness.ts';
import { createLog } from '../../../core/log/log.ts';
import { createMetrics } from '../../../core/metrics/metrics.ts';
import { defaultOrganisation, seed } from '../../../core/organisation/seed.ts';
import type { Runtime } from '../../../core/runtimes/runtime.ts';
import { startCore } from '../../../core/start-core.ts';
import { type Database, openDatabase } from '../../../core/store/database.ts';
import { testDatabase } from '../../../core/store/testing/test-database.ts';
import { type Event, eventColumns } from '../../../core/streams/message.ts';
import { teams } from '../index.ts';
import { type ConnectorStandIn, startConnector } from './connector-stand-in.ts';
import { appId, startTokenIssuer, type TokenIssuer } from './token-issuer.ts';

/** The tenant of {@link openTeamsHouse}. */
export const tenant = '0f8a1b52-7a0c-4f6e-8e05-6d0f5b0f1a77';

/** The whole core with the Teams door on a database of a test's own; it listens on a free port. */
export interface TeamsHouse {
  core: Core;
  database: Database;
  issuer: TokenIssuer;
  connector: ConnectorStandIn;
  warnings: readonly string[];
  /** Sends an activity with a good token, or with the header given (null: without any). Gives status and answer. */
  send(activity: object, authorization?: string | null): Promise<{ status: number; body: string }>;
  /** Of all Streams but transcripts, in order. */
  events(): Promise<Event[]>;
  url: string;
  close(): Promise<void>;
}

/** How a house is opened. */
export interface TeamsHouseOptions {
  runtime?: Runtime;
  /** Settings beside those that lead to the issuer; undefined takes one of them away. */
  env?: Record<string, string | undefined>;
}

/** Echoes the last message: `echo: hello`. */
export const echo: Runtime = {
  name: 'echo',
  async run({ briefing }) {
    return { text: `echo: ${briefing.batch.at(-1)?.body ?? ''}` };
  },
};

/** Opens a house with the seeded organisation; its model is a runtime of the test's. */
export async function openTeamsHouse(options: TeamsHouseOptions = {}): Promise<TeamsHouse> {
  await using opened = new AsyncDisposableStack();
  const test = await testDatabase();
  opened.defer(() => test.close());
  const issuer = await startTokenIssuer();
  opened.defer(() => issuer.close());
  const connector = await startConnector();
  opened.defer(() => connector.close());
  const database = await openDatabase(test.url);
  opened.defer(() => database.close());
  await seed(database);

  const environment = {
    MicrosoftAppId: appId,
    MicrosoftAppTenantId: tenant,
    TEAMS_OPENID_METADATA_URL: issuer.metadataUrl,
    ...options.env,
  };
  const read = await readSettings(teams.settings, { environment, dotenv: {} }, async () => new Map());
  const log = createLog({ level: 'silent' });
  const metrics = createMetrics();
  const readiness = createReadiness('dispatch');
  const http = createHttpApp({ log, metrics, readiness, metricsAllow: [] });
  const listening = await listen(http.app, { host: '127.0.0.1', port: 0 });
  opened.defer(() => listening.close(0));
  const running = await startCore({
    database,
    log,
    metrics,
    runtime: options.runtime ?? echo,
    http,
    readiness,
    bots: [teams] as unknown as readonly Bot<Settings>[],
    settings: read.values,
    configured: new Set(Object.keys(environment)),
    publicUrl: listening.url,
    historyTokens: 32_000,
    slots: 4,
    dataDirectory: '/nowhere',
    secretKey: createSecretKey(Buffer.alloc(32)),
  });
  opened.defer(() => running.stop(1000));

  const kept = opened.move();
  return {
    core: running.core,
    database,
    issuer,
    connector,
    warnings: running.warnings,
    url: listening.url,
    async send(activity, authorization) {
      const { serviceUrl } = activity as { serviceUrl?: string };
      const header = authorization === undefined ? `Bearer ${issuer.token(serviceUrl ?? '')}` : authorization;
      const response = await fetch(`${listening.url}/api/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(header === null ? {} : { authorization: header }) },
        body: JSON.stringify(activity),
      });
      return { status: response.status, body: await response.text() };
    },
    events: () =>
      database.query<Event>(
        `select ${eventColumns} from event e where e.organisation = $1 order by e.created_at, e.stream, e.position`,
        [defaultOrganisation],
      ),
    close: () => kept.disposeAsync(),
  };
}

import { pino } from 'pino';
import type { Core } from '../../../core/core.ts';
import type { RunningBot } from '../../../core/delivery/bot.ts';
import { startOutbox } from '../../../core/delivery/outbox.ts';
import { startDispatcher } from '../../../core/dispatch/dispatcher.ts';
import { coreForTests } from '../../../core/dispatch/testing/core-for-tests.ts';
import { createHttpApp } from '../../../core/http/http-app.ts';
import { listen } from '../../../core/http/listen.ts';
import { createReadiness } from '../../../core/http/readiness.ts';
import { defaultOrganisation, seed } from '../../../core/organisation/seed.ts';
import type { Runtime } from '../../../core/runtimes/runtime.ts';
import { testDatabase } from '../../../core/store/testing/test-database.ts';
import { type Event, eventColumns } from '../../../core/streams/message.ts';
import { type SlackEvents, type SlackEventsOptions, slackEvents } from '../../../e2e/stand-ins/slack/send-events.ts';
import {
  type SlackServer,
  type SlackServerOptions,
  startSlackServer,
} from '../../../e2e/stand-ins/slack/slack-server.ts';
import { slack } from '../index.ts';
import { SlackDoor } from '../slack-door.ts';
import type { SlackSettings } from '../slack-settings.ts';

export const signingSecret = '8f742231b10e8888abcd99yyyzzz85a5';

/** How a house is opened. */
export interface SlackHouseOptions {
  /** What agents do; default nothing. Without it neither Activations nor Deliveries run. */
  runtime?: Runtime;
  /** The commands that people have; default those of a thread alone. */
  prompts?: Core['prompts'];
  slack?: SlackServerOptions;
  events?: Partial<SlackEventsOptions>;
  settings?: Partial<SlackSettings>;
}

/** A core with a Slack door on a database of a test's own, and a stand-in for Slack before it. */
export interface SlackHouse {
  core: Core;
  /** Of the database. */
  databaseUrl: string;
  server: SlackServer;
  events: SlackEvents;
  /** Where events go. */
  eventsUrl: string;
  running: RunningBot;
  /** Every Event of the Streams bound to Slack, in the order in which they were made. */
  stored(): Promise<Event[]>;
  triggers(): Promise<{ event: string; worker: string }[]>;
  close(): Promise<void>;
}

/** Opens a house with a seeded organisation: Assistant, its owner, and nothing bound to Slack yet. */
export async function openSlackHouse(options: SlackHouseOptions = {}): Promise<SlackHouse> {
  await using opened = new AsyncDisposableStack();
  const test = await testDatabase();
  opened.defer(() => test.close());
  const server = await startSlackServer(options.slack);
  opened.defer(() => server.close());
  const door = new SlackDoor();
  const { core: bare, close } = await coreForTests({
    url: test.url,
    doors: [door],
    ...(options.runtime ? { runtime: options.runtime } : {}),
  });
  opened.defer(close);
  const core = options.prompts ? { ...bare, prompts: options.prompts } : bare;
  await seed(core.database);

  const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
  const http = createHttpApp({ log, metrics: core.metrics, readiness: createReadiness(), metricsAllow: [] });
  const listening = await listen(http.app, { host: '127.0.0.1', port: 0, log });
  opened.defer(() => listening.close());
  const settings: SlackSettings = {
    SLACK_BOT_TOKEN: server.token,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_API_URL: server.apiUrl,
    ...options.settings,
  };
  const running = await slack.start(core, settings, {
    mount: http.mount,
    publicUrl: 'http://localhost:8080',
    secretKey: new Uint8Array(32) as never,
    dataDirectory: '/nowhere',
    configured: new Set(['SLACK_API_URL']),
  });
  if (!running) throw new Error('the Slack door did not start');
  opened.defer(() => running.stop());
  if (options.runtime) {
    const dispatcher = startDispatcher(core, {
      slots: 8,
      tools: { open: () => Promise.reject(new Error('none')), isIdempotent: () => false },
    });
    opened.defer(() => dispatcher.stop(0));
    const outbox = startOutbox(core);
    opened.defer(() => outbox.stop(0));
  }
  const eventsUrl = `http://127.0.0.1:${listening.port}/slack/events`;
  const events = slackEvents({ workspace: server.workspace, url: eventsUrl, signingSecret, ...options.events });
  opened.defer(async () => events.stop());

  const kept = opened.move();
  return {
    core,
    databaseUrl: test.url,
    server,
    events,
    eventsUrl,
    running,
    stored: () =>
      core.database.query<Event>(
        `select ${eventColumns} from event e
           join binding b on b.organisation = e.organisation and b.stream = e.stream and b.kind = 'slack'
         where e.organisation = $1 order by e.created_at, e.position`,
        [defaultOrganisation],
      ),
    triggers: () =>
      core.database.query('select event, worker from trigger where organisation = $1 order by created_at', [
        defaultOrganisation,
      ]),
    close: () => kept.disposeAsync(),
  };
}

/** An agent that answers each batch with what was said last in it. */
export const echo: Runtime = {
  name: 'echo',
  run: async ({ briefing }) => ({ text: `echo: ${briefing.batch.at(-1)?.body ?? ''}` }),
};

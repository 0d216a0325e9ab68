import { App, ExpressReceiver } from '@slack/bolt';
import { type RequestHandler, Router } from 'express';
import { SwitchboardError, UnavailableError } from '../../core/errors.ts';
import type { Log } from '../../core/log/log.ts';
import { slackLog } from './slack-log.ts';
import type { SlackSettings } from './slack-settings.ts';

/** Slack's events come here. */
export const eventsPath = '/slack/events';

/** What takes an event: it returns when all of it is committed, and throws when it is not. */
export type TakeEvent = (body: unknown) => Promise<void>;

/** The endpoint, and its end. */
export interface EventsEndpoint {
  routes: RequestHandler;
  /** Answers 503 from now on, and waits for what is being taken. */
  stop(): Promise<void>;
}

/** Slack itself gives up after 3 s and sends again. A request whose commit hangs is not kept for ever. */
const patienceMs = 10_000;
/** A timestamp may be so far off (docs.slack.dev/authentication/verifying-requests-from-slack). */
const clockSeconds = 5 * 60;

/**
 * The HTTP door of the Events API: Bolt checks the signature on the raw body (401), answers url_verification, and calls `take`.
 *
 * Rule 1 of design §4, "accepted means committed". Bolt acknowledges an event before its listeners, so:
 * - `processBeforeResponse` keeps the answer back until every listener has ended, however long that takes: the timer after which Bolt
 *   answers by itself (3 s, 404) is cleared when it "acknowledges" into memory;
 * - no error handler swallows a failure: what a listener throws comes out of `processEvent`, and becomes 5xx here;
 * - `authorize` calls nothing, because it runs before that acknowledgement and on every event.
 */
export function eventsEndpoint(
  settings: Pick<SlackSettings, 'SLACK_SIGNING_SECRET'>,
  options: { take: TakeEvent; log: Log; patienceMs?: number },
): EventsEndpoint {
  const { log } = options;
  const logger = slackLog(log);
  const taking = new Set<Promise<void>>();
  let stopped = false;

  const receiver = new ExpressReceiver({
    signingSecret: settings.SLACK_SIGNING_SECRET ?? '',
    endpoints: eventsPath,
    processBeforeResponse: true,
    logger,
    async processEventErrorHandler({ error, response }) {
      const status = statusOf(error);
      log.warn({ err: error, status }, 'an event of Slack was not accepted');
      if (!response.headersSent) {
        // What can never be read is not worth being sent three times more.
        if (status < 500) response.setHeader('X-Slack-No-Retry', '1');
        response.writeHead(status);
        response.end();
      }
      return false;
    },
  });
  const app = new App({
    receiver,
    logger,
    authorize: async () => ({}),
    ignoreSelf: false,
    convoStore: false,
  });
  // What goes wrong is told once, by the handler above.
  app.error(async (error) => {
    throw error;
  });
  const listener = async ({ body }: { body: unknown }) => {
    if (stopped) throw new UnavailableError('this process is being stopped');
    const work = options.take(body);
    taking.add(work);
    work.catch(() => undefined).finally(() => taking.delete(work));
    await orTooLate(work, options.patienceMs ?? patienceMs);
  };
  app.event('app_mention', listener);
  app.event('message', listener);

  const routes = Router();
  routes.post(eventsPath, notFromTheFuture);
  routes.use(receiver.router);
  return {
    routes,
    async stop() {
      stopped = true;
      await Promise.allSettled(taking);
    },
  };
}

/** Bolt refuses what is older than five minutes, and would take what is signed for years ahead again and again. */
const notFromTheFuture: RequestHandler = (request, response, next) => {
  const ahead = Number(request.get('x-slack-request-timestamp')) - Date.now() / 1000;
  if (ahead > clockSeconds) response.status(401).end();
  else next();
};

async function orTooLate(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UnavailableError('an event could not be committed in time')), ms);
  });
  await Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
}

/** 4xx for what can never be accepted; whatever else it is, Slack is to send it again. */
function statusOf(error: unknown): number {
  if (error instanceof SwitchboardError && error.status === 400) return 400;
  return error instanceof SwitchboardError && error.status === 503 ? 503 : 500;
}

import { App, type Receiver } from '@slack/bolt';
import express, { type RequestHandler, Router } from 'express';
import { InvalidInputError, SwitchboardError, UnavailableError } from '../../core/errors.ts';
import type { Log } from '../../core/log/log.ts';
import { slackLog } from './slack-log.ts';
import type { SlackSettings } from './slack-settings.ts';
import { isSignedBySlack } from './verify-signature.ts';

/** Slack's events and clicks come here. */
export const eventsPath = '/slack/events';

/** What takes an event or a click: it returns when all of it is committed, and throws when it is not. */
export type Take = (body: unknown) => Promise<void>;

/** The endpoint, and its end. */
export interface EventsEndpoint {
  routes: RequestHandler;
  /** Answers 503 from now on, and waits for what is being taken. */
  stop(): Promise<void>;
}

/** Slack itself gives up after 3 s and sends again. A request whose commit hangs is not kept for ever. */
const patienceMs = 10_000;
const bodyLimit = '4mb';

/**
 * The HTTP door of the Events API and of clicks: checks the signature on the raw body (401), answers url_verification, hands the rest
 * to Bolt, whose listeners call `take` and `takeClick`.
 *
 * Rule 1 of design §4, "accepted means committed". Bolt's own receivers answer too early or too much: an event is acknowledged before
 * its listeners (`App.processEvent`), at once unless `processBeforeResponse` is set, and after 3 s by a timer of their own. So this is a
 * receiver of ours, Bolt's port for that: it answers when `processEvent` has settled, whatever was acknowledged meanwhile. No error
 * handler swallows a failure, so that what a listener throws comes out of `processEvent` and becomes 5xx here; and `authorize`, which
 * runs on every event, asks nobody. A click, which Slack sends once and waits for 3 s, is answered by the same rule: who sees Slack's
 * warning sign may click again, and a click that was acknowledged and lost nobody could mend.
 */
export function eventsEndpoint(
  settings: Pick<SlackSettings, 'SLACK_SIGNING_SECRET'>,
  options: { take: Take; takeClick: Take; log: Log; patienceMs?: number },
): EventsEndpoint {
  const { log } = options;
  const signingSecret = settings.SLACK_SIGNING_SECRET;
  const taking = new Set<Promise<void>>();
  let stopped = false;

  const receiver: Receiver = { init: () => undefined, start: async () => undefined, stop: async () => undefined };
  const app = new App({
    receiver,
    logger: slackLog(log),
    authorize: async () => ({}),
    ignoreSelf: false,
    convoStore: false,
  });
  // What goes wrong is told once, below.
  app.error(async (error) => {
    throw error;
  });
  const takeWith =
    (take: Take) =>
    async ({ body, ack }: { body: unknown; ack?: () => Promise<void> }) => {
      if (stopped) throw new UnavailableError('this process is being stopped');
      const work = take(body);
      taking.add(work);
      work.catch(() => undefined).finally(() => taking.delete(work));
      await orTooLate(work, options.patienceMs ?? patienceMs);
      await ack?.();
    };
  app.event('app_mention', takeWith(options.take));
  app.event('message', takeWith(options.take));
  app.action({ type: 'block_actions' }, takeWith(options.takeClick));

  const routes = Router();
  routes.post(
    eventsPath,
    express.raw({ type: () => true, limit: bodyLimit, inflate: false }),
    async (request, response) => {
      const body: Buffer = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const timestamp = request.get('x-slack-request-timestamp');
      const signature = request.get('x-slack-signature');
      if (!signingSecret || !isSignedBySlack(signingSecret, { timestamp, signature, body })) {
        response.status(401).end();
        return;
      }
      try {
        const payload = parseBody(body, Boolean(request.is('application/x-www-form-urlencoded')));
        if (payload.type === 'url_verification') {
          response.json({ challenge: payload.challenge });
          return;
        }
        let isKnown = false;
        const ack = async () => {
          isKnown = true;
        };
        await app.processEvent({ body: payload, ack });
        response.status(isKnown ? 200 : 404).end();
      } catch (error) {
        const status = statusOf(error);
        log.warn({ err: error, status }, 'what Slack sent was not accepted');
        // What can never be read is not worth being sent three times more.
        if (status < 500) response.set('X-Slack-No-Retry', '1');
        response.status(status).end();
      }
    },
  );
  return {
    routes,
    async stop() {
      stopped = true;
      await Promise.allSettled(taking);
    },
  };
}

/** An event is JSON; a click is JSON too, in the one field of a form. */
function parseBody(body: Buffer, isForm: boolean): Record<string, unknown> {
  const text = body.toString('utf8');
  let payload: unknown;
  try {
    payload = JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text);
  } catch (cause) {
    throw new InvalidInputError('the body is no JSON', 'invalid_input', { cause });
  }
  if (typeof payload !== 'object' || payload === null) throw new InvalidInputError('the body is no event');
  return payload as Record<string, unknown>;
}

async function orTooLate(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UnavailableError('an event could not be committed in time')), ms);
  });
  await Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
}

/** 4xx for what can never be accepted; whatever else it is, Slack is to send it again. */
function statusOf(error: unknown): number {
  return error instanceof SwitchboardError && [400, 503].includes(error.status) ? error.status : 500;
}

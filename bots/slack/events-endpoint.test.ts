import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidInputError, UnavailableError } from '../../core/errors.ts';
import { listen } from '../../core/http/listen.ts';
import { eventsOf } from '../../e2e/stand-ins/slack/event-bodies.ts';
import { signatureHeaders } from '../../e2e/stand-ins/slack/sign.ts';
import { eventsEndpoint, type Take } from './events-endpoint.ts';
import { failCommits, freeCommits, holdCommits } from './testing/hold-commits.ts';
import { openSlackHouse, type SlackHouse, type SlackHouseOptions, signingSecret } from './testing/slack-house.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const log = pino({ level: 'silent' });
const event = JSON.stringify({ type: 'event_callback', event: { type: 'app_mention', text: 'hi' } });

/** The endpoint alone, in front of a `take` of the test's. */
async function open(take: Take, patienceMs?: number) {
  const endpoint = eventsEndpoint(
    { SLACK_SIGNING_SECRET: signingSecret },
    { take, takeClick: take, log, ...(patienceMs ? { patienceMs } : {}) },
  );
  const app = express();
  app.use(endpoint.routes);
  const listening = await listen(app, { host: '127.0.0.1', port: 0, log });
  cleanups.push(() => listening.close());
  return { endpoint, url: `http://127.0.0.1:${listening.port}/slack/events` };
}

async function post(
  url: string,
  body: string,
  headers: Record<string, string> = signatureHeaders(signingSecret, body),
) {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe('a request', () => {
  const now = () => Math.floor(Date.now() / 1000);

  it.each<[string, () => Record<string, string>]>([
    ['without a signature', () => ({})],
    ['signed with another secret', () => signatureHeaders('another', event)],
    ['signed for another body', () => signatureHeaders(signingSecret, `${event} `)],
    ['that is ten minutes old', () => signatureHeaders(signingSecret, event, now() - 600)],
    ['that is ten minutes ahead', () => signatureHeaders(signingSecret, event, now() + 600)],
    [
      'whose time was changed',
      () => {
        const headers = signatureHeaders(signingSecret, event);
        return { ...headers, 'x-slack-request-timestamp': `${Number(headers['x-slack-request-timestamp']) - 1}` };
      },
    ],
    ['whose time is none', () => ({ ...signatureHeaders(signingSecret, event), 'x-slack-request-timestamp': 'soon' })],
    [
      'whose signature has another version',
      () => {
        const headers = signatureHeaders(signingSecret, event);
        return { ...headers, 'x-slack-signature': headers['x-slack-signature']?.replace('v0', 'v1') ?? '' };
      },
    ],
    ['whose signature is cut', () => ({ ...signatureHeaders(signingSecret, event), 'x-slack-signature': 'v0' })],
  ])('%s is answered 401 and goes no further', async (_what, headers) => {
    const taken: unknown[] = [];
    const { url } = await open(async (body) => void taken.push(body));
    expect((await post(url, event, headers())).status).toBe(401);
    expect(taken).toEqual([]);
    expect((await post(url, event)).status).toBe(200);
    expect(taken).toHaveLength(1);
  });

  it('that is four minutes old is taken: clocks differ', async () => {
    const { url } = await open(async () => undefined);
    expect((await post(url, event, signatureHeaders(signingSecret, event, now() - 240))).status).toBe(200);
  });

  it('answers the challenge with which Slack checks the address', async () => {
    const { url } = await open(async () => undefined);
    const body = JSON.stringify({ type: 'url_verification', challenge: '3eZbrw1aB', token: 'x' });
    expect(await post(url, body)).toMatchObject({ status: 200, text: '{"challenge":"3eZbrw1aB"}' });
    expect((await post(url, body, {})).status).toBe(401);
  });

  it('of another kind of event is answered 200', async () => {
    const taken: unknown[] = [];
    const { url } = await open(async (body) => void taken.push(body));
    const other = JSON.stringify({ type: 'event_callback', event: { type: 'reaction_added' } });
    expect((await post(url, other)).status).toBe(200);
    expect(taken).toEqual([]);
  });
});

describe('the answer', () => {
  it('waits for what is being taken, also past the 3 s after which Bolt answers by itself', async () => {
    let done = false;
    const { url } = await open(async () => {
      await sleep(3500);
      done = true;
    });
    const answer = post(url, event).then(({ status }) => ({ status, done }));
    expect(await answer).toEqual({ status: 200, done: true });
  });

  it.each<[string, Error, number]>([
    ['that the database is away', new UnavailableError('away'), 503],
    ['a defect', new TypeError('undefined is no function'), 500],
    ['that it cannot be read', new InvalidInputError('no event'), 400],
  ])('says %s', async (_what, error, status) => {
    const { url } = await open(async () => {
      throw error;
    });
    const answer = await post(url, event);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-slack-no-retry')).toBe(status < 500 ? '1' : null);
  });

  it('is 503 when the commit hangs, and when the process is being stopped, which waits for what is being taken', async () => {
    let finish = () => {};
    const hanging = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { url, endpoint } = await open(() => hanging, 200);
    expect((await post(url, event)).status).toBe(503);
    let stopped = false;
    const stopping = endpoint.stop().then(() => {
      stopped = true;
    });
    expect((await post(url, event)).status).toBe(503);
    expect(stopped).toBe(false);
    finish();
    await stopping;
  });
});

describe('accepted means committed', () => {
  async function openHouse(options?: SlackHouseOptions): Promise<SlackHouse> {
    const house = await openSlackHouse(options);
    cleanups.push(() => house.close());
    cleanups.push(() => freeCommits(house.core.database));
    house.events.say({ channel: 'C1', user: 'U1', text: '<@U0BOT> the first' });
    await house.events.settled();
    return house;
  }

  it('a commit that takes longer than 3 s is answered when it is over, and not before', async () => {
    const house = await openHouse();
    await holdCommits(house.core.database);
    const message = house.server.workspace.store({ channel: 'C1', user: 'U1', text: '<@U0BOT> slow' });
    const [envelope] = eventsOf(house.server.workspace, message);
    let answered = false;
    const answer = post(house.eventsUrl, JSON.stringify(envelope)).finally(() => {
      answered = true;
    });
    await sleep(3300);
    expect(answered).toBe(false);
    expect((await house.stored()).map((stored) => stored.body)).toEqual(['the first']);
    await freeCommits(house.core.database);
    expect((await answer).status).toBe(200);
    expect((await house.stored()).map((stored) => stored.body)).toEqual(['the first', 'slow']);
  });

  it('Slack, which waits 3 s, sends it again meanwhile, and it is one Event', async () => {
    const house = await openHouse({ events: { retryAfter: [0.01, 1, 2], timeScale: 1 } });
    await holdCommits(house.core.database);
    const { events } = house.events.say({ channel: 'C1', user: 'U1', text: '<@U0BOT> slow' });
    await expect.poll(() => events.every((sent) => sent.attempts.length > 0)).toBe(true);
    await freeCommits(house.core.database);
    await house.events.settled();
    for (const sent of events) {
      expect(sent.attempts[0]?.status).toBe('timeout');
      expect(sent.accepted).toBe(true);
    }
    expect((await house.stored()).map((stored) => stored.body)).toEqual(['the first', 'slow']);
  });

  it('a commit that fails is a 5xx, and what Slack sends again is stored once', async () => {
    const house = await openHouse({ events: { retryAfter: [0.2, 0.5, 1], timeScale: 1 } });
    await failCommits(house.core.database);
    const { events } = house.events.say({ channel: 'C1', user: 'U1', text: '<@U0BOT> again' });
    await expect.poll(() => events.every((sent) => sent.attempts.length > 0)).toBe(true);
    expect(events.map((sent) => sent.attempts[0]?.status)).toEqual([500, 500]);
    expect(await house.stored()).toHaveLength(1);
    await freeCommits(house.core.database);
    await house.events.settled();
    expect(events.map((sent) => sent.accepted)).toEqual([true, true]);
    expect((await house.stored()).map((stored) => stored.body)).toEqual(['the first', 'again']);
  });
});

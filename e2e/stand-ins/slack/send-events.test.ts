import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isValidSlackRequest } from '@slack/bolt';
import { afterEach, describe, expect, it } from 'vitest';
import { type SlackEvents, slackEvents } from './send-events.ts';
import { createWorkspace } from './workspace.ts';

const signingSecret = 'secret';
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

type Seen = { body: { event: Record<string, unknown>; event_id: string }; headers: IncomingMessage['headers'] };

/** An app that answers with these statuses, one after the other, and then with 200; 0 never answers. */
async function open(statuses: number[] = [], headers: Record<string, string> = {}, timeoutMs = 10_000) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const signed = isValidSlackRequest({
      signingSecret,
      body,
      headers: {
        'x-slack-signature': String(request.headers['x-slack-signature']),
        'x-slack-request-timestamp': Number(request.headers['x-slack-request-timestamp']),
      },
    });
    if (!signed) return void response.writeHead(401).end();
    seen.push({ body: JSON.parse(body), headers: request.headers });
    const status = statuses.shift() ?? 200;
    if (status > 0) response.writeHead(status, headers).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  cleanups.push(() => server.close() && server.closeAllConnections());
  const workspace = createWorkspace();
  workspace.addChannel('C1');
  workspace.addChannel('D1', { kind: 'im' });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`;
  const events: SlackEvents = slackEvents({ workspace, url, signingSecret, timeScale: 0.001, timeoutMs });
  cleanups.push(() => events.stop());
  return { events, seen };
}

describe('Slack’s events', () => {
  it('are signed as Bolt checks it, two for a mention and one for everything else', async () => {
    const { events, seen } = await open();
    events.say({ channel: 'C1', user: 'U1', text: '<@U0BOT> hi' });
    events.say({ channel: 'C1', user: 'U1', text: 'hi' });
    events.say({ channel: 'D1', user: 'U1', text: 'hi <@U0BOT>' });
    await events.settled();
    expect(seen.map(({ body }) => [body.event.type, body.event.channel_type]).sort()).toEqual([
      ['app_mention', undefined],
      ['message', 'channel'],
      ['message', 'channel'],
      ['message', 'im'],
    ]);
  });

  it('come again until they are answered 2xx, with the number and the reason', async () => {
    const { events, seen } = await open([500, 0, 302], {}, 1000);
    const { events: sent } = events.say({ channel: 'C1', user: 'U1', text: 'hi' });
    await events.settled();
    expect(sent[0]?.attempts.map((attempt) => attempt.status)).toEqual([500, 'timeout', 302, 200]);
    expect(sent[0]?.accepted).toBe(true);
    expect(seen.map(({ headers }) => [headers['x-slack-retry-num'], headers['x-slack-retry-reason']])).toEqual([
      [undefined, undefined],
      ['1', 'http_error'],
      ['2', 'http_timeout'],
      ['3', 'http_error'],
    ]);
    expect(new Set(seen.map(({ body }) => body.event_id)).size).toBe(1);
  });

  it('are given up after three repetitions, or when the app says so', async () => {
    const often = await open(Array(9).fill(500));
    const [event] = often.events.say({ channel: 'C1', user: 'U1', text: 'hi' }).events;
    await often.events.settled();
    expect(event).toMatchObject({ accepted: false, attempts: { length: 4 } });
    const once = await open(Array(9).fill(400), { 'x-slack-no-retry': '1' });
    const [other] = once.events.say({ channel: 'C1', user: 'U1', text: 'hi' }).events;
    await once.events.settled();
    expect(other).toMatchObject({ accepted: false, attempts: { length: 1 } });
  });
});

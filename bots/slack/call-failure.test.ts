import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import { callFailure, surelyNotDone } from './call-failure.ts';
import { slackClient } from './slack-client.ts';

const cleanups: (() => void)[] = [];
const lines: string[] = [];
const token = 'xoxb-very-secret';

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  lines.length = 0;
});

/** The error of a call to a server that answers so; undefined: nobody listens. */
async function failureOf(answer: RequestListener | undefined): Promise<unknown> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  if (answer) cleanups.push(() => server.close() && server.closeAllConnections());
  else await new Promise((resolve) => server.close(resolve));
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const client = slackClient(
    { SLACK_BOT_TOKEN: token, SLACK_SIGNING_SECRET: 'x', SLACK_API_URL: `http://127.0.0.1:${port}/api/` },
    log,
  );
  return await client.chat.postMessage({ channel: 'C1', text: 'a private text' }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

const json =
  (body: object, status = 200, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

describe('a failed call', () => {
  it.each<[string, RequestListener | undefined, RegExp, boolean]>([
    ['that nobody listens to', undefined, /cannot be reached \(ECONNREFUSED\)/, true],
    ['that is cut off', (_q, response) => void response.destroy(), /cannot be reached/, false],
    ['at a server in trouble', json({}, 503), /HTTP status 503/, false],
    ['that is too early', json({ ok: false, error: 'ratelimited' }, 429, { 'retry-after': '7' }), /wait 7 s/, true],
    ['that is too early, who knows for how long', json({}, 429), /asks to wait/, false],
    ['at a fault of Slack’s own', json({ ok: false, error: 'internal_error' }), /fault of its own/, false],
    [
      'that a proxy answers',
      (_q, response) => void response.end('<html>Bad gateway</html>'),
      /fault of its own/,
      false,
    ],
  ])('%s is to be made again', async (_what, answer, message, notDone) => {
    const error = await failureOf(answer);
    const failure = callFailure(error);
    expect(failure).toBeInstanceOf(OutsideUnavailable);
    expect(failure.message).toMatch(message);
    expect(surelyNotDone(error)).toBe(notDone);
  });

  it('that is too early is to be made again when Slack says so, or a moment later', async () => {
    const failure = callFailure(await failureOf(json({}, 429, { 'retry-after': '7' })));
    const { retryAfterSeconds } = failure as OutsideUnavailable;
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(7);
    expect(retryAfterSeconds).toBeLessThanOrEqual(7.5);
  });

  it.each([
    ['channel_not_found', /gone, or the app was removed/],
    ['is_archived', /archived/],
    ['invalid_auth', /SLACK_BOT_TOKEN: install the app again/],
    ['msg_too_long', /too long/],
    ['restricted_action', /a rule of the Slack workspace/],
  ])('that Slack refuses with %s is given up, in words', async (code, message) => {
    const error = await failureOf(json({ ok: false, error: code }));
    expect(callFailure(error)).toBeInstanceOf(PermanentFailure);
    expect(callFailure(error).message).toMatch(message);
    expect(surelyNotDone(error)).toBe(true);
  });

  it('for want of a scope names it', async () => {
    const error = await failureOf(json({ ok: false, error: 'missing_scope', needed: 'chat:write' }));
    expect(callFailure(error).message).toMatch(/lacks a scope "chat:write"/);
  });

  it('with a code that nobody knows is a failed attempt', async () => {
    const failure = callFailure(await failureOf(json({ ok: false, error: 'something_new' })));
    expect(failure).not.toBeInstanceOf(OutsideUnavailable);
    expect(failure).not.toBeInstanceOf(PermanentFailure);
    expect(failure.message).toBe('Slack answered something_new');
  });

  it('is made once, and neither the token nor what was said comes into the log', async () => {
    let calls = 0;
    const count: RequestListener = (_request, response) => {
      calls++;
      response.destroy();
    };
    const failure = callFailure(await failureOf(count));
    expect(calls).toBe(1);
    pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }).error({ err: failure }, 'x');
    expect(lines.join('')).not.toMatch(/very-secret|private text/);
  });
});

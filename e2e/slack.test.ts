import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEmulator, type Emulator } from 'emulate';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test as testAnywhere } from 'vitest';
import { failCommits, freeCommits, holdCommits } from '../bots/slack/testing/hold-commits.ts';
import { type House, openHouse } from './house.ts';
import { makeDataDirectory, startCore } from './processes.ts';
import { type EventEnvelope, envelopeOf, eventsOf } from './stand-ins/slack/event-bodies.ts';
import { type SlackEvents, slackEvents } from './stand-ins/slack/send-events.ts';
import { signatureHeaders } from './stand-ins/slack/sign.ts';
import { type SlackServer, startSlackServer } from './stand-ins/slack/slack-server.ts';
import { createWorkspace } from './stand-ins/slack/workspace.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const ms = 90_000;
const soon = 20_000;
const signingSecret = 'e2e-signing-secret';

/** Hands over one event, as Slack does at its first attempt or at a repetition. */
async function post(url: string, envelope: object, options: { retry?: number; age?: number; secret?: string } = {}) {
  const body = JSON.stringify(envelope);
  const seconds = Math.floor(Date.now() / 1000) - (options.age ?? 0);
  const response = await fetch(`${url}/slack/events`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      ...signatureHeaders(options.secret ?? signingSecret, body, seconds),
      ...(options.retry ? { 'x-slack-retry-num': String(options.retry), 'x-slack-retry-reason': 'http_timeout' } : {}),
    },
  });
  await response.body?.cancel();
  return response.status;
}

/** Both events of a mention, each redelivered twice, in Slack's order of things. */
async function pairWithRepetitions(url: string, pair: readonly EventEnvelope[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const retry of [0, 1, 2])
    statuses.push(...(await Promise.all(pair.map((envelope) => post(url, envelope, { retry })))));
  return statuses;
}

describe('with emulate as Slack', () => {
  type Call = Record<string, unknown>;
  let emulator: Emulator;
  let house: House;

  /** Calls its Web API as a person or as the app. */
  async function call(token: string, method: string, args: Call) {
    const response = await fetch(`${emulator.url}/api/${method}`, {
      method: 'POST',
      body: JSON.stringify(args),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    });
    const result = (await response.json()) as Call & { ok: boolean };
    expect(result, `${method}: ${JSON.stringify(result)}`).toMatchObject({ ok: true });
    return result;
  }

  beforeAll(async () => {
    emulator = await createEmulator({
      service: 'slack',
      port: 0,
      seed: {
        slack: {
          users: [{ name: 'ada', real_name: 'Ada Lovelace' }, { name: 'switchboard' }],
          channels: [{ name: 'launch' }],
          tokens: [
            { token: 'xoxp-ada', user: 'ada' },
            { token: 'xoxb-switchboard', user: 'switchboard', type: 'bot' },
          ],
        },
      },
    });
    house = await openHouse({
      env: {
        SLACK_BOT_TOKEN: 'xoxb-switchboard',
        SLACK_SIGNING_SECRET: signingSecret,
        SLACK_API_URL: `${emulator.url}/api/`,
      },
    });
    await house.start();
  }, ms);

  afterAll(async () => {
    await house?.[Symbol.asyncDispose]();
    await emulator?.close();
  }, ms);

  test('a mention, both of its events redelivered twice, gets one reply, in its thread', { timeout: ms }, async () => {
    const bot = await call('xoxb-switchboard', 'auth.test', {});
    const listed = await call('xoxp-ada', 'conversations.list', {});
    const channel =
      (listed.channels as { id: string; name: string }[]).find((each) => each.name === 'launch')?.id ?? '';
    const text = `<@${bot.user_id}> when do we launch?`;
    const said = await call('xoxp-ada', 'chat.postMessage', { channel, text });
    const ada = await call('xoxp-ada', 'auth.test', {});
    const event = { channel, user: ada.user_id, text, ts: said.ts, event_ts: said.ts };
    const workspace = createWorkspace({ team: String(bot.team_id) });
    const pair = [
      envelopeOf(workspace, { ...event, type: 'app_mention' }),
      envelopeOf(workspace, { ...event, type: 'message', channel_type: 'channel' }),
    ];
    expect(await pairWithRepetitions(house.core().url, pair)).toEqual(Array(6).fill(200));

    const thread = async () =>
      (await call('xoxp-ada', 'conversations.replies', { channel, ts: said.ts })).messages as { user: string }[];
    await expect.poll(async () => (await thread()).length, { timeout: soon }).toBe(2);
    await sleep(1500);
    expect((await thread()).map((message) => message.user)).toEqual([ada.user_id, bot.user_id]);
    const inChannel = (await call('xoxp-ada', 'conversations.history', { channel })).messages as {
      thread_ts?: string;
    }[];
    expect(inChannel.filter((message) => !message.thread_ts)).toHaveLength(1);
    const stored = await house.query<{ body: string; name: string; kind: string }>(
      `select e.body, s.name, s.kind from event e join stream s on s.id = e.stream join binding b on b.stream = s.id
       where b.kind = 'slack' and e.source_kind = 'human'`,
    );
    expect(stored).toEqual([{ body: 'when do we launch?', name: '#launch', kind: 'channel' }]);
    await expect
      .poll(() => house.query(`select 1 from worker where name = 'ada'`).then((rows) => rows.length), { timeout: soon })
      .toBe(1);
  });
});

describe('with the stand-in', () => {
  let server: SlackServer;
  let events: SlackEvents;
  let house: House;
  let channels = 0;
  let channel: string;

  beforeAll(async () => {
    server = await startSlackServer();
    house = await openHouse({
      env: { SLACK_BOT_TOKEN: server.token, SLACK_SIGNING_SECRET: signingSecret, SLACK_API_URL: server.apiUrl },
    });
    await house.start();
    events = slackEvents({
      workspace: server.workspace,
      url: () => `${house.core().url}/slack/events`,
      signingSecret,
      retryAfter: [0.1, 1, 5],
      timeScale: 1,
    });
  }, ms);

  beforeEach(() => {
    channels += 1;
    channel = `C${channels}`;
    server.workspace.addChannel(channel);
  });

  afterEach(async () => {
    await freeCommits(executor);
    server.answerLate('chat.postMessage', 0);
  });

  afterAll(async () => {
    events?.stop();
    await house?.[Symbol.asyncDispose]();
    await server?.close();
  }, ms);

  const executor = { query: <Row>(text: string, values?: readonly unknown[]) => house.query<Row>(text, values) };
  const storedIn = async (place: string) =>
    (
      await house.query<{ body: string }>(
        `select e.body from event e join binding b on b.stream = e.stream
         where b.external_id = $1 and e.source_kind = 'human' order by e.position`,
        [place],
      )
    ).map((event) => event.body);

  test('a mention redelivered twice gets one reply, and a follow-up goes on in that thread', {
    timeout: ms,
  }, async () => {
    const { workspace } = server;
    const said = workspace.store({ channel, user: 'U1', text: '<@U0BOT> good morning' });
    const pair = eventsOf(workspace, said);
    expect(pair.map((envelope) => envelope.event.type)).toEqual(['app_mention', 'message']);
    expect(await pairWithRepetitions(house.core().url, pair)).toEqual(Array(6).fill(200));
    await server.waitFor((message) => message.threadTs === said.ts, soon);
    events.say({ channel, user: 'U2', text: 'good morning from me, too', threadTs: said.ts });
    await events.settled();
    await expect.poll(() => server.replies(channel, said.ts).length, { timeout: soon }).toBe(2);
    expect(await storedIn(channel)).toEqual(['good morning', 'good morning from me, too']);
    const threads = await house.query(
      `select distinct e.thread from event e join binding b on b.stream = e.stream where b.external_id = $1`,
      [channel],
    );
    expect(threads).toHaveLength(1);
  });

  test('a bad signature and a timestamp of ten minutes ago are 401, another workspace is 200, and all are stored nowhere', {
    timeout: ms,
  }, async () => {
    const said = server.workspace.store({ channel, user: 'U1', text: '<@U0BOT> hello' });
    const [envelope] = eventsOf(server.workspace, said);
    const { url } = house.core();
    expect(await post(url, envelope ?? {}, { secret: 'not the secret' })).toBe(401);
    expect(await post(url, envelope ?? {}, { age: 600 })).toBe(401);
    expect(await post(url, { ...envelope, team_id: 'T0OTHER' })).toBe(200);
    expect(await storedIn(channel)).toEqual([]);
  });

  test('a commit that takes longer than Slack waits is not acknowledged before it is over; sent again meanwhile, it is one Event', {
    timeout: ms,
  }, async () => {
    events.say({ channel, user: 'U1', text: '<@U0BOT> the first' });
    await events.settled();
    await holdCommits(executor);
    const { message, events: sent } = events.say({ channel, user: 'U1', text: '<@U0BOT> slow' });
    await expect.poll(() => sent.every((event) => event.attempts.length > 0)).toBe(true);
    expect(sent.map((event) => event.attempts[0]?.status)).toEqual(['timeout', 'timeout']);
    expect(await storedIn(channel)).toEqual(['the first']);
    await freeCommits(executor);
    await events.settled();
    expect(sent.map((event) => event.accepted)).toEqual([true, true]);
    expect(await storedIn(channel)).toEqual(['the first', 'slow']);
    await server.waitFor((reply) => reply.threadTs === message.ts, soon);
  });

  test('a commit that fails is a 5xx, Slack sends it again, and it is answered once', { timeout: ms }, async () => {
    events.say({ channel, user: 'U1', text: '<@U0BOT> the first' });
    await events.settled();
    await failCommits(executor);
    const { message, events: sent } = events.say({ channel, user: 'U1', text: '<@U0BOT> again' });
    await expect.poll(() => sent.every((event) => event.attempts.length > 0)).toBe(true);
    for (const event of sent) expect(event.attempts[0]?.status).toBeGreaterThanOrEqual(500);
    expect(await storedIn(channel)).toEqual(['the first']);
    await freeCommits(executor);
    await events.settled();
    expect(sent.map((event) => event.accepted)).toEqual([true, true]);
    expect(await storedIn(channel)).toEqual(['the first', 'again']);
    await server.waitFor((reply) => reply.threadTs === message.ts, soon);
    await sleep(500);
    expect(server.replies(channel, message.ts)).toHaveLength(1);
  });

  test('a core killed between Slack’s accept and its own commit does not say it twice', { timeout: ms }, async () => {
    server.answerLate('chat.postMessage', 3000);
    const { message } = events.say({ channel, user: 'U1', text: '<@U0BOT> once' });
    await server.waitFor((reply) => reply.threadTs === message.ts, soon);
    await house.core().killEverything();
    server.answerLate('chat.postMessage', 0);
    await house.start();
    // The killed core's lease runs 15 s.
    await expect
      .poll(
        () =>
          house.query(`select 1 from delivery where external_id like $1`, [`${channel}:%`]).then((rows) => rows.length),
        { timeout: 40_000 },
      )
      .toBe(1);
    expect(server.replies(channel, message.ts)).toHaveLength(1);
  });
});

describe('a start', () => {
  let dataDirectory: string;

  beforeEach(async () => {
    dataDirectory = await makeDataDirectory();
  });

  afterEach(() => rm(dataDirectory, { recursive: true, force: true }));

  test('with a token that Slack refuses is one sentence and exit code 1', { timeout: ms }, async () => {
    const server = await startSlackServer();
    const env = { SLACK_BOT_TOKEN: 'xoxb-wrong', SLACK_SIGNING_SECRET: signingSecret, SLACK_API_URL: server.apiUrl };
    const core = await startCore({ dataDirectory, env });
    try {
      expect(await core.exited).toEqual({ code: 1, signal: null });
      expect(core.stdout()).toBe('');
      expect(core.stderr()).toMatch(/^switchboard: SLACK_BOT_TOKEN: Slack refuses it \(invalid_auth\)[^\n]*\n$/);
      expect(core.stderr()).not.toContain('xoxb-wrong');
    } finally {
      await core.killEverything();
      await server.close();
    }
  });

  test('while Slack is away works, says so, and takes its events once it is back', { timeout: ms }, async () => {
    const server = await startSlackServer();
    server.workspace.addChannel('C1');
    await server.pause();
    const env = { SLACK_BOT_TOKEN: server.token, SLACK_SIGNING_SECRET: signingSecret, SLACK_API_URL: server.apiUrl };
    const core = await startCore({ dataDirectory, env });
    const events = slackEvents({
      workspace: server.workspace,
      url: `${core.url}/slack/events`,
      signingSecret,
      retryAfter: [0.5, 1, 2, 4, 8, 16],
      timeScale: 1,
    });
    try {
      await core.waitReady();
      await expect.poll(() => core.stdout()).toMatch(/Slack does not answer at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
      const { message, events: sent } = events.say({ channel: 'C1', user: 'U1', text: '<@U0BOT> hello' });
      await expect.poll(() => sent[0]?.attempts[0]?.status).toBe(503);
      await server.resume();
      await server.waitFor((reply) => reply.threadTs === message.ts, 40_000);
      expect(core.output()).not.toContain(server.token);
    } finally {
      events.stop();
      await core.killEverything();
      await server.close();
    }
  });
});

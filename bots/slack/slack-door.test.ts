import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import type { Runtime } from '../../core/runtimes/runtime.ts';
import { append } from '../../core/streams/append.ts';
import { slackLimits } from '../../e2e/stand-ins/slack/rate-limits.ts';
import type { StoredMessage } from '../../e2e/stand-ins/slack/workspace.ts';
import { echo, openSlackHouse, type SlackHouse, type SlackHouseOptions } from './testing/slack-house.ts';

let house: SlackHouse | undefined;

afterEach(async () => {
  await house?.close();
  house = undefined;
});

async function open(options?: SlackHouseOptions): Promise<SlackHouse> {
  house = await openSlackHouse({ runtime: echo, ...options });
  return house;
}

function mention(opened: SlackHouse, text: string, rest: { channel?: string; threadTs?: string } = {}): StoredMessage {
  return opened.events.say({ channel: 'C1', user: 'U1', ...rest, text: `<@U0BOT> ${text}` }).message;
}

const callsTo = (opened: SlackHouse, method: string) => opened.server.calls().filter((call) => call.method === method);

async function deliveries(opened: SlackHouse) {
  return await opened.core.database.query<{
    id: string;
    state: string;
    externalId: string | null;
    error: string | null;
  }>(`select id, state, external_id as "externalId", error from delivery order by created_at`);
}

/** Writes its reply in pieces, so many milliseconds apart. */
function typing(pieces: readonly string[], ms: number): Runtime {
  return {
    name: 'typing',
    async run(run) {
      for (const [n] of pieces.entries()) {
        run.write(pieces.slice(0, n + 1).join(''));
        await sleep(ms, undefined, { signal: run.signal });
      }
      return { text: pieces.join('') };
    },
  };
}

describe('a reply', () => {
  it('is one message in the thread, marked with its delivery, and unfolds no links', async () => {
    const opened = await open();
    const said = mention(opened, 'see https://example.com');
    await opened.server.waitFor((each) => each.threadTs === said.ts, 5000);
    const [call, ...more] = callsTo(opened, 'chat.postMessage');
    expect(more).toEqual([]);
    await eventually(async () => (await deliveries(opened))[0]?.state === 'delivered');
    const [delivery] = await deliveries(opened);
    expect(call?.args).toMatchObject({ thread_ts: said.ts, unfurl_links: 'false', unfurl_media: 'false' });
    expect(JSON.parse(String(call?.args.metadata))).toEqual({
      event_type: 'switchboard_delivery',
      event_payload: { delivery: delivery?.id },
    });
    const [message] = opened.server.replies('C1', said.ts);
    expect(delivery?.externalId).toBe(`C1:${message?.ts}`);
    expect(message?.blocks).toEqual([{ type: 'markdown', text: 'echo: see https://example.com' }]);
  });

  it('is posted with its first visible text and edited while it grows, at most once a second', async () => {
    const opened = await open({ runtime: typing(['One', ', two', ', three', ', four', ', five', ', six'], 500) });
    const said = mention(opened, 'count');
    await opened.server.waitFor((each) => each.text === 'One, two, three, four, five, six', 15_000);
    expect(callsTo(opened, 'chat.postMessage')).toHaveLength(1);
    const times = opened.server
      .calls()
      .filter((call) => call.method.startsWith('chat.'))
      .map((call) => call.at);
    const [message, ...more] = opened.server.replies('C1', said.ts);
    expect(more).toEqual([]);
    expect(message?.texts.length).toBeGreaterThanOrEqual(3);
    expect(message?.texts.length).toBeLessThanOrEqual(5);
    for (let n = 1; n < times.length - 1; n++) expect((times[n] ?? 0) - (times[n - 1] ?? 0)).toBeGreaterThan(900);
  });

  it('that Slack took and whose answer was lost is found again, and is not posted a second time', async () => {
    const opened = await open();
    opened.server.hangUpAfter('chat.postMessage', 1);
    const said = mention(opened, 'once');
    await eventually(async () => (await deliveries(opened))[0]?.state === 'delivered');
    expect(callsTo(opened, 'chat.postMessage')).toHaveLength(1);
    expect(opened.server.replies('C1', said.ts)).toHaveLength(1);
  });

  it('whose draft Slack took and whose answer was lost is that draft', async () => {
    const opened = await open({ runtime: typing(['a', 'b', 'c', 'd', 'e', 'f'], 500) });
    opened.server.hangUpAfter('chat.postMessage', 1);
    const said = mention(opened, 'once');
    await opened.server.waitFor((each) => each.text === 'abcdef', 15_000);
    expect(opened.server.replies('C1', said.ts)).toHaveLength(1);
  });

  it('that was being sent when its process was lost is found again, in a DM too', async () => {
    const opened = await open();
    opened.server.workspace.addChannel('D1', { kind: 'im', members: ['U1'] });
    mention(opened, 'in a channel');
    mention(opened, 'in a DM', { channel: 'D1' });
    await eventually(async () => (await deliveries(opened)).filter((each) => each.state === 'delivered').length === 2);
    await eventually(async () => {
      const held = await opened.core.database.query(
        `select 1 from lane where kind = 'delivery' and lease_until is not null`,
      );
      return held.length === 0;
    });
    // As a kill between Slack's answer and our commit leaves it; the one had not even been picked as finished.
    await opened.core.database.query(
      `with d as (update delivery set state = case when binding = (select min(binding) from delivery) then 'sending' else 'queued' end,
         external_id = null)
       update lane set ready_at = now(), lease_until = now() - interval '1 s' where kind = 'delivery'`,
    );
    opened.core.waking.announce();
    await eventually(async () => (await deliveries(opened)).every((each) => each.state === 'delivered'));
    expect(callsTo(opened, 'chat.postMessage')).toHaveLength(2);
    expect(callsTo(opened, 'conversations.replies')).toHaveLength(1);
    expect(callsTo(opened, 'conversations.history')).toHaveLength(1);
  });

  it('shows links to what is attached to it', async () => {
    const opened = await open();
    const said = mention(opened, 'one');
    await opened.server.waitFor((each) => each.text === 'echo: one', 5000);
    const [stored] = await opened.stored();
    if (!stored) throw new Error('nothing was stored');
    await append(opened.core, {
      organisation: stored.organisation,
      stream: stored.stream,
      thread: stored.thread,
      author: 'w-assistant',
      sourceKind: 'ai',
      message: {
        body: 'Here it is.',
        attachments: [{ name: 'plan [2].pdf', type: 'application/pdf', size: 1, url: 'https://files.example/plan' }],
      },
    });
    const message = await opened.server.waitFor((each) => each.text.startsWith('Here it is.'), 5000);
    expect(message.threadTs).toBe(said.ts);
    expect(message.blocks).toEqual([
      { type: 'markdown', text: 'Here it is.\n\n[plan \\[2\\].pdf](https://files.example/plan)' },
    ]);
  });

  it('is posted anew where the workspace lets nobody edit', async () => {
    const opened = await open({ runtime: typing(['a', 'b', 'c', 'd'], 500) });
    opened.server.failNext('chat.update', 'edit_window_closed', 10);
    mention(opened, 'go');
    await opened.server.waitFor((each) => each.text === 'abcd', 10_000);
    await eventually(async () => (await deliveries(opened))[0]?.state === 'delivered');
  });
});

describe('429', () => {
  it('is waited out as long as Slack asks; nothing is lost, and the order of each thread is kept', async () => {
    const opened = await open({ slack: { limits: slackLimits } });
    const { server } = opened;
    server.limits.storm({ methods: ['chat.postMessage'], every: 2, retryAfter: 1, forMs: 5_000 });
    const roots = ['C1', 'C2', 'C3'].map((channel) => mention(opened, '0', { channel }));
    await opened.events.settled();
    for (let n = 1; n <= 4; n++) {
      for (const root of roots)
        opened.events.say({ channel: root.channel, user: 'U1', text: String(n), threadTs: root.ts });
      await opened.events.settled();
      await eventually(async () => {
        const waiting = await opened.core.database.query(`select 1 from trigger where state <> 'done'`);
        return waiting.length === 0;
      });
    }
    await eventually(async () => {
      const states = await deliveries(opened);
      return states.length === 15 && states.every((each) => each.state === 'delivered');
    }, 40_000);
    for (const root of roots)
      expect(server.replies(root.channel, root.ts).map((each) => each.text)).toEqual(
        [0, 1, 2, 3, 4].map((n) => `echo: ${n}`),
      );
    expect(server.limits.refusals()).toBeGreaterThan(0);
    expect(server.limits.early()).toBe(0);
    const [failures] = await opened.core.database.query('select max(failures) as max from delivery');
    expect(failures).toEqual({ max: 0 });
    // A refusal leaves nothing to look for.
    expect(callsTo(opened, 'conversations.replies')).toEqual([]);
  }, 60_000);

  it('of one process keeps the others back, too', async () => {
    const opened = await open();
    mention(opened, 'one');
    await eventually(async () => (await deliveries(opened))[0]?.state === 'delivered');
    const started = performance.now();
    await opened.core.database.query(
      `insert into rate_budget (organisation, key, tokens, blocked_until)
       values ('default', 'slack T0ACME chat.postMessage C1', 0, now() + interval '1.5 s')`,
    );
    mention(opened, 'two');
    await opened.server.waitFor((each) => each.text === 'echo: two', 5000);
    expect(performance.now() - started).toBeGreaterThan(1300);
    expect(callsTo(opened, 'chat.postMessage').every((call) => call.status === 200)).toBe(true);
  });

  it('is kept away by a budget of edits, in which drafts give way to finished replies', async () => {
    const opened = await open({
      runtime: typing(
        Array.from({ length: 8 }, (_, n) => `${n} `),
        400,
      ),
      slack: { limits: slackLimits },
    });
    const started = Date.now();
    for (let n = 0; n < 16; n++) mention(opened, 'go', { channel: `C${n}` });
    await eventually(async () => {
      const states = await deliveries(opened);
      return states.length === 16 && states.every((each) => each.state === 'delivered');
    }, 40_000);
    expect(opened.server.workspace.byApp().map((each) => each.text)).toEqual(Array(16).fill('0 1 2 3 4 5 6 7'));
    expect(opened.server.limits.early()).toBe(0);
    const drafts = callsTo(opened, 'chat.update').filter((call) => call.args.text !== '0 1 2 3 4 5 6 7');
    expect(drafts.length).toBeGreaterThan(0);
    // Three fifths of a burst of 20, and what has come to the budget of 50 a minute since.
    const minutes = ((drafts.at(-1)?.at ?? 0) - started) / 60_000;
    expect(drafts.length).toBeLessThanOrEqual(12 + minutes * 50);
  }, 60_000);
});

describe('what Slack refuses', () => {
  it.each([
    ['is_archived', /the Slack channel is archived/],
    ['not_in_channel', /invite it there/],
    ['token_revoked', /SLACK_BOT_TOKEN/],
  ])('%s is given up at once, with a sentence that says what to do', async (code, sentence) => {
    const opened = await open();
    opened.server.failNext('chat.postMessage', code);
    mention(opened, 'hello');
    await eventually(async () => (await deliveries(opened))[0]?.state === 'dead');
    expect((await deliveries(opened))[0]?.error).toMatch(sentence);
    expect(callsTo(opened, 'chat.postMessage')).toHaveLength(1);
  });

  it('because of a fault of its own is sent again', async () => {
    const opened = await open();
    opened.server.failNext('chat.postMessage', 'internal_error');
    mention(opened, 'hello');
    await opened.server.waitFor((each) => each.text === 'echo: hello', 5000);
  });

  it('because a person has deleted the growing reply is left alone', async () => {
    const opened = await open({ runtime: typing(['a', 'b', 'c'], 600) });
    mention(opened, 'go');
    const draft = await opened.server.waitFor(() => true, 5000);
    draft.deleted = true;
    await eventually(async () => (await deliveries(opened))[0]?.state === 'dead');
    expect((await deliveries(opened))[0]?.error).toMatch(/deleted in Slack/);
    expect(opened.server.workspace.byApp()).toHaveLength(1);
  });
});

describe('Slack away', () => {
  it('loses nothing: what was to be said is said when it is back, in order', async () => {
    const opened = await open();
    const first = mention(opened, 'one');
    await opened.server.waitFor((each) => each.text === 'echo: one', 5000);
    await opened.server.pause();
    opened.events.say({ channel: 'C1', user: 'U1', text: 'two', threadTs: first.ts });
    await opened.events.settled();
    await eventually(async () => (await deliveries(opened)).some((each) => each.state === 'waiting'));
    opened.events.say({ channel: 'C1', user: 'U1', text: 'three', threadTs: first.ts });
    await opened.events.settled();
    await opened.server.resume();
    await opened.server.waitFor((each) => each.text === 'echo: three', 15_000);
    expect(opened.server.replies('C1', first.ts).map((each) => each.text)).toEqual([
      'echo: one',
      'echo: two',
      'echo: three',
    ]);
  });
});

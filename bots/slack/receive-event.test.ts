import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import { makePairingCode } from '../../core/organisation/pairing.ts';
import { envelopeOf, eventsOf } from '../../e2e/stand-ins/slack/event-bodies.ts';
import { echo, openSlackHouse, type SlackHouse, type SlackHouseOptions } from './testing/slack-house.ts';

let house: SlackHouse | undefined;

afterEach(async () => {
  await house?.close();
  house = undefined;
});

async function open(options?: SlackHouseOptions): Promise<SlackHouse> {
  house = await openSlackHouse(options);
  return house;
}

/** Says something, and waits until Slack's events of it are answered. */
async function say(
  opened: SlackHouse,
  text: string,
  rest: { channel?: string; user?: string; threadTs?: string } = {},
) {
  const { message, events } = opened.events.say({ channel: 'C1', user: 'U1', ...rest, text });
  await Promise.all(events.map((event) => event.done));
  expect(events.map((event) => event.accepted)).toEqual(events.map(() => true));
  return message;
}

async function streams(opened: SlackHouse) {
  return await opened.core.database.query(
    `select s.id, s.name, s.kind, s.default_worker as "defaultWorker", b.external_id as place from stream s
       join binding b on b.organisation = s.organisation and b.stream = s.id and b.kind = 'slack' order by s.id`,
  );
}

describe('a mention', () => {
  it('comes as two events and is one Event with one reply in its thread', async () => {
    const opened = await open({ runtime: echo });
    opened.server.workspace.addChannel('C1', { name: 'general' });
    const message = await say(opened, '<@U0BOT> hello there');
    const reply = await opened.server.waitFor((each) => each.threadTs === message.ts, 5000);
    expect(reply.text).toBe('echo: hello there');
    const [said, ...rest] = await opened.stored();
    expect(said).toMatchObject({
      from: 'U1',
      body: 'hello there',
      messageId: `C1:${message.ts}`,
      sourceKind: 'human',
    });
    expect(rest.map((event) => event.body)).toEqual(['echo: hello there']);
    expect(opened.server.replies('C1', message.ts)).toHaveLength(1);
  });

  it('is known by the ids of both of its events and by its channel and ts', async () => {
    const opened = await open();
    const { message, events } = opened.events.say({ channel: 'C1', user: 'U1', text: '<@U0BOT> hello' });
    await opened.events.settled();
    const keys = await opened.core.database.query<{ key: string }>(
      `select r.external_id as key from receipt r join binding b on b.id = r.binding where b.kind = 'slack' order by 1`,
    );
    expect(keys.map(({ key }) => key)).toEqual(
      [`C1:${message.ts}`, ...events.map((event) => event.envelope.event_id)].sort(),
    );
  });

  it('in a channel to which nothing is bound creates a stream with Assistant as its default worker', async () => {
    const opened = await open();
    opened.server.workspace.addChannel('C1', { name: 'launch' });
    opened.server.workspace.addChannel('G1', { name: 'secret', kind: 'group' });
    opened.server.workspace.addChannel('G2', { name: 'mpdm-ada--ben--switchboard-1', kind: 'mpim' });
    for (const channel of ['C1', 'G1', 'G2']) await say(opened, '<@U0BOT> hello', { channel });
    expect(await streams(opened)).toEqual([
      {
        id: 's-slack-group-dm-ada-ben-switchboard',
        name: 'Group DM: ada, ben, switchboard',
        kind: 'dm',
        place: 'G2',
        defaultWorker: 'w-assistant',
      },
      { id: 's-slack-launch', name: '#launch', kind: 'channel', place: 'C1', defaultWorker: 'w-assistant' },
      { id: 's-slack-secret', name: '#secret', kind: 'dm', place: 'G1', defaultWorker: 'w-assistant' },
    ]);
    expect((await opened.triggers()).map((trigger) => trigger.worker)).toEqual(Array(3).fill('w-assistant'));
  });

  it('does not wait for the name of its channel, which is asked for again', async () => {
    const opened = await open();
    opened.server.workspace.addChannel('C1', { name: 'slow' });
    const release = opened.server.hold('conversations.info');
    await say(opened, '<@U0BOT> hello');
    expect(await streams(opened)).toMatchObject([{ name: 'C1', kind: 'dm' }]);
    release();
    await eventually(async () => {
      await say(opened, '<@U0BOT> again');
      return (await streams(opened))[0]?.name === '#slow';
    });
    expect(await streams(opened)).toMatchObject([{ id: 's-slack-c1', kind: 'channel' }]);
  });

  it('makes its sender a guest whose name is learnt beside, and known in what others say of them', async () => {
    const opened = await open();
    opened.server.workspace.addUser('U1', 'Ada Lovelace');
    const release = opened.server.hold('users.info');
    await say(opened, '<@U0BOT> hello');
    const names = () =>
      opened.core.database.query(
        `select i.external_id as id, w.name from identity i join worker w on w.id = i.worker where i.platform = 'slack'`,
      );
    expect(await names()).toEqual([{ id: 'T0ACME:U1', name: 'T0ACME:U1' }]);
    release();
    await eventually(async () => (await names())[0]?.name === 'Ada Lovelace');
    await say(opened, '<@U0BOT> ask <@U1>', { user: 'U2' });
    expect((await opened.stored()).at(-1)?.body).toBe('ask @Ada Lovelace');
  });

  it('takes files along, by where they lie', async () => {
    const opened = await open();
    const files = [
      { name: 'plan.pdf', mimetype: 'application/pdf', size: 1234, url_private: 'https://files.example/plan.pdf' },
      { mode: 'tombstone' },
    ];
    opened.events.say({ channel: 'C1', user: 'U1', text: '<@U0BOT> read this', files });
    await opened.events.settled();
    const stored = await opened.stored();
    expect(stored).toHaveLength(1);
    expect(stored[0]?.attachments).toEqual([
      { name: 'plan.pdf', type: 'application/pdf', size: 1234, url: 'https://files.example/plan.pdf' },
    ]);
  });
});

describe('a thread', () => {
  it('goes on without a mention, in the same conversation', async () => {
    const opened = await open({ runtime: echo });
    const first = await say(opened, '<@U0BOT> one');
    // At once: the agent has not answered yet.
    await say(opened, 'two', { threadTs: first.ts });
    await opened.server.waitFor((reply) => reply.text === 'echo: two', 5000);
    await say(opened, 'three', { threadTs: first.ts, user: 'U2' });
    await opened.server.waitFor((reply) => reply.text === 'echo: three', 5000);
    const stored = await opened.stored();
    expect(new Set(stored.map((event) => event.thread)).size).toBe(1);
    expect(opened.server.replies('C1', first.ts).length).toBe(opened.server.workspace.byApp().length);
  });

  it('that people had begun is joined by a mention in it', async () => {
    const opened = await open({ runtime: echo });
    const first = await say(opened, 'what shall we do?');
    await say(opened, '<@U0BOT> help us out here', { threadTs: first.ts });
    const reply = await opened.server.waitFor(() => true, 5000);
    expect(reply.threadTs).toBe(first.ts);
    expect((await opened.stored()).map((event) => event.body)).toEqual(['help us out here', 'echo: help us out here']);
  });

  it('takes commands, with a mention or without', async () => {
    const opened = await open({ runtime: echo });
    const first = await say(opened, '<@U0BOT> mute');
    await opened.server.waitFor((reply) => reply.text.startsWith('Muted'), 5000);
    await say(opened, 'are you there?', { threadTs: first.ts });
    await say(opened, '<@U0BOT> are you there?', { threadTs: first.ts });
    await say(opened, '/unmute', { threadTs: first.ts });
    await opened.server.waitFor((reply) => reply.text === 'I answer here again.', 5000);
    await say(opened, '(aside) it does not hear this', { threadTs: first.ts });
    await say(opened, 'new', { threadTs: first.ts });
    await opened.server.waitFor((reply) => reply.text.includes('one conversation'), 5000);
    await say(opened, 'and now?', { threadTs: first.ts });
    await opened.server.waitFor((reply) => reply.text === 'echo: and now?', 5000);
    expect(opened.server.workspace.byApp()).toHaveLength(4);
  });
});

describe('what is not meant for an agent', () => {
  it('is stored nowhere', async () => {
    const opened = await open();
    await say(opened, 'nobody is bound here');
    await say(opened, '<@U0BOT> hello');
    const human = await say(opened, 'we talk among ourselves');
    await say(opened, 'in a thread, too', { threadTs: human.ts });
    expect((await opened.stored()).map((event) => event.body)).toEqual(['hello']);
  });

  it.each([
    ['what another app writes', { bot_id: 'B9' }],
    ['what an old integration writes', { subtype: 'bot_message', user: undefined }],
    ['what looks like us', { user: 'U0BOT' }],
    ['somebody joining', { subtype: 'channel_join' }],
    ['a topic', { subtype: 'channel_topic' }],
  ])('%s: nor is that', async (_what, changes) => {
    const opened = await open();
    await say(opened, '<@U0BOT> hello');
    const { workspace } = opened.server;
    const message = workspace.store({ channel: 'C1', user: 'U2', text: '<@U0BOT> hello' });
    const sent = eventsOf(workspace, message, changes).map(opened.events.send);
    await opened.events.settled();
    expect(sent.map((event) => event.accepted)).toEqual([true, true]);
    expect(await opened.stored()).toHaveLength(1);
  });

  it('is our own message coming back: not stored either', async () => {
    const opened = await open({ runtime: echo });
    opened.server.onWrite((message) => void eventsOf(opened.server.workspace, message).map(opened.events.send));
    const first = await say(opened, '<@U0BOT> hello');
    await opened.server.waitFor((reply) => reply.threadTs === first.ts, 5000);
    await sleep(300);
    await opened.events.settled();
    expect(await opened.stored()).toHaveLength(2);
  });

  it('wakes those who listen to everything, and nobody else', async () => {
    const opened = await open();
    await say(opened, '<@U0BOT> hello');
    const { database } = opened.core;
    await database.query(
      `insert into worker (organisation, id, name, kind) values ('default', 'w-scout', 'Scout', 'ai')`,
    );
    const listen = (worker: string) =>
      database.query(
        `insert into subscription (organisation, worker, stream, mode) select 'default', $1, id, 'all' from stream where id = 's-slack-c1'`,
        [worker],
      );
    await listen('w-owner');
    const first = await say(opened, 'for people only');
    await say(opened, 'in a thread, too', { threadTs: first.ts });
    expect((await opened.stored()).map((event) => event.body)).toEqual([
      'hello',
      'for people only',
      'in a thread, too',
    ]);
    expect((await opened.triggers()).map((trigger) => trigger.worker)).toEqual(['w-assistant']);
    await listen('w-scout');
    await say(opened, 'for everybody');
    expect((await opened.triggers()).map((trigger) => trigger.worker)).toEqual(['w-assistant', 'w-scout']);
  });
});

describe('direct messages', () => {
  const direct = { channel: 'D1' };

  async function openDirect(options?: SlackHouseOptions) {
    const opened = await open(options);
    opened.server.workspace.addUser('U1', 'Ada');
    opened.server.workspace.addChannel('D1', { kind: 'im', members: ['U1'] });
    return opened;
  }

  it('need no mention and are one conversation, answered outside of threads', async () => {
    const opened = await openDirect({ runtime: echo });
    await say(opened, 'hello', direct);
    const reply = await opened.server.waitFor((each) => each.text === 'echo: hello', 5000);
    expect(reply.threadTs).toBeUndefined();
    await say(opened, 'and again', direct);
    await opened.server.waitFor((each) => each.text === 'echo: and again', 5000);
    const stored = await opened.stored();
    expect(new Set(stored.map((event) => event.thread)).size).toBe(1);
    expect(await streams(opened)).toEqual([
      { id: 's-slack-dm-ada', name: 'DM with Ada', kind: 'dm', place: 'D1', defaultWorker: 'w-assistant' },
    ]);
  });

  it('begin a new conversation after `new`, and after eight idle hours', async () => {
    const opened = await openDirect({ runtime: echo });
    await say(opened, 'one', direct);
    await say(opened, 'new', direct);
    await opened.server.waitFor((each) => each.text.startsWith('Done.'), 5000);
    await say(opened, 'two', direct);
    await opened.server.waitFor((each) => each.text === 'echo: two', 5000);
    await opened.core.database.query(`update event set created_at = created_at - interval '9 hours'`);
    await say(opened, 'three', direct);
    await opened.server.waitFor((each) => each.text === 'echo: three', 5000);
    const said = (await opened.stored()).filter((event) => event.sourceKind === 'human');
    const threadOf = (body: string) => said.find((event) => event.body === body)?.thread;
    expect(threadOf('new')).toBe(threadOf('one'));
    expect(new Set(['one', 'two', 'three'].map(threadOf)).size).toBe(3);
  });

  it('in a thread are a conversation of their own, answered there', async () => {
    const opened = await openDirect({ runtime: echo });
    const first = await say(opened, 'one', direct);
    await say(opened, 'beside', { ...direct, threadTs: first.ts });
    const reply = await opened.server.waitFor((each) => each.text === 'echo: beside', 5000);
    expect(reply.threadTs).toBe(first.ts);
    const said = (await opened.stored()).filter((event) => event.sourceKind === 'human');
    expect(new Set(said.map((event) => event.thread)).size).toBe(2);
  });

  it('take a pairing code, which is stored nowhere, and from then on know the owner', async () => {
    const opened = await openDirect({ runtime: echo });
    const code = await makePairingCode(opened.core.database, 'default', 'w-owner');
    await say(opened, code.toLowerCase(), direct);
    await opened.server.waitFor((each) => each.text.startsWith('Done: you are linked'), 5000);
    await say(opened, 'hello', direct);
    await opened.server.waitFor((each) => each.text === 'echo: hello', 5000);
    const stored = await opened.stored();
    expect(stored.find((event) => event.body === 'hello')?.author).toBe('w-owner');
    expect(JSON.stringify(stored).toUpperCase()).not.toContain(code);
  });
});

describe('an edit and a delete', () => {
  it('change what was stored and wake nobody', async () => {
    const opened = await open();
    const one = await say(opened, '<@U0BOT> first');
    const two = await say(opened, '<@U0BOT> second');
    opened.events.edit(one, '<@U0BOT> *better*');
    opened.events.remove(two);
    await opened.events.settled();
    expect(await opened.stored()).toMatchObject([
      { body: '**better**', editedAt: expect.any(Date) },
      { body: '', deletedAt: expect.any(Date) },
    ]);
    expect(await opened.triggers()).toHaveLength(2);
  });

  it('of a thread’s first message leaves a tombstone, which is a delete', async () => {
    const opened = await open();
    const first = await say(opened, '<@U0BOT> first');
    const { workspace } = opened.server;
    const message = {
      type: 'message',
      subtype: 'tombstone',
      user: 'USLACKBOT',
      text: 'This message was deleted.',
      ts: first.ts,
    };
    opened.events.send(
      envelopeOf(workspace, {
        type: 'message',
        subtype: 'message_changed',
        channel: 'C1',
        ts: workspace.nextTs(),
        message,
      }),
    );
    await opened.events.settled();
    expect(await opened.stored()).toMatchObject([{ body: '', deletedAt: expect.any(Date) }]);
  });

  it('of what is not known, or of a place that is not bound, is nothing', async () => {
    const opened = await open();
    const { workspace } = opened.server;
    const elsewhere = workspace.store({ channel: 'C9', user: 'U1', text: 'before' });
    const sent = [opened.events.edit(elsewhere, 'after'), opened.events.remove(elsewhere)];
    await opened.events.settled();
    expect(sent.map((event) => event.accepted)).toEqual([true, true]);
    expect(await opened.stored()).toEqual([]);
  });
});

describe('another workspace', () => {
  it('is answered 200, counted, and stored nowhere', async () => {
    const opened = await open();
    const { workspace } = opened.server;
    const message = workspace.store({ channel: 'C1', user: 'U1', text: '<@U0BOT> hello' });
    const sent = eventsOf(workspace, message).map((envelope) => opened.events.send({ ...envelope, team_id: 'T9' }));
    await opened.events.settled();
    expect(sent.map((event) => event.accepted)).toEqual([true, true]);
    expect(await opened.stored()).toEqual([]);
    expect(await opened.core.metrics.page()).toMatch(
      /switchboard_refused_installations_total\{binding_kind="slack"\} 2/,
    );
  });

  it('that shares a channel with ours is heard there, its people under their own workspace', async () => {
    const opened = await open();
    const { workspace } = opened.server;
    const message = workspace.store({ channel: 'C1', user: 'U7', text: '<@U0BOT> hello from outside' });
    const [envelope] = eventsOf(workspace, message, { user_team: 'T9' });
    if (!envelope) throw new Error('no event');
    opened.events.send({ ...envelope, team_id: 'T9', is_ext_shared_channel: true });
    await opened.events.settled();
    expect((await opened.stored()).map((event) => event.body)).toEqual(['hello from outside']);
    const identities = await opened.core.database.query(
      `select external_id as id from identity where platform = 'slack'`,
    );
    expect(identities).toEqual([{ id: 'T9:U7' }]);
  });
});

import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import type { DesktopCard, OutgoingDelivery, OutgoingFile } from '../../core/delivery/door.ts';
import { OutsideUnavailable } from '../../core/dispatch/failure.ts';
import { ownerWorker } from '../../core/organisation/seed.ts';
import { chatPrompts } from '../../core/prompts/chat-prompts.ts';
import { append } from '../../core/streams/append.ts';
import type { Event } from '../../core/streams/message.ts';
import { buttonsOf, clickPayload, sendClick } from '../../e2e/stand-ins/slack/click-button.ts';
import type { StoredMessage } from '../../e2e/stand-ins/slack/workspace.ts';
import { SlackDoor } from './slack-door.ts';
import { openSlackHouse, type SlackHouse, type SlackHouseOptions, signingSecret } from './testing/slack-house.ts';

let house: SlackHouse;
let door: SlackDoor;

afterEach(() => house.close());

const watchUrl = 'https://switchboard.example.com/d/d-1#watch-token';
const controlUrl = 'https://switchboard.example.com/d/d-1#control-token';
/** Of the one who clicks: what has to be quick is timed. */
const patienceMs = 10_000;

async function card(changes: Partial<DesktopCard> = {}): Promise<DesktopCard> {
  const data = await sharp({ create: { width: 640, height: 360, channels: 3, background: '#345' } })
    .jpeg()
    .toBuffer();
  return {
    title: 'Assistant’s desktop',
    watchUrl,
    still: { data, width: 640, height: 360 },
    offersControl: true,
    ...changes,
  };
}

async function open(options?: SlackHouseOptions): Promise<void> {
  house = await openSlackHouse(options);
  const found = house.core.doors.get('slack');
  if (!(found instanceof SlackDoor)) throw new Error('no Slack door');
  door = found;
}

/** A person has spoken in C1 (or a DM), and this is what is to be said to it: nothing sends it but the test. */
async function answerTo(
  text: string,
  rest: Partial<OutgoingDelivery> = {},
  channel = 'C1',
): Promise<{ said: StoredMessage; delivery: OutgoingDelivery }> {
  const { message: said } = house.events.say({ channel, user: 'U1', text: '<@U0BOT> show me' });
  await house.events.settled();
  const asked = (await house.stored()).at(-1);
  if (!asked) throw new Error('nothing was stored');
  const { event } = await append(house.core, {
    organisation: asked.organisation,
    stream: asked.stream,
    thread: asked.thread,
    author: 'w-assistant',
    sourceKind: 'ai',
    message: { body: text },
  });
  const [row] = await house.core.database.query<
    Pick<OutgoingDelivery, 'id' | 'createdAt' | 'binding'> & { place: string }
  >(
    `select d.id, d.created_at as "createdAt",
       jsonb_build_object('id', b.id, 'kind', b.kind, 'externalId', b.external_id, 'config', b.config) as binding,
       (select external_id from thread_binding t where t.binding = b.id and t.thread = d.thread) as place
     from delivery d join binding b on b.id = d.binding where d.event = $1`,
    [event],
  );
  const stored = (await house.stored()).find((each) => each.id === event) as Event;
  if (!row) throw new Error('there is no delivery');
  const { place, ...known } = row;
  const delivery = {
    organisation: asked.organisation,
    thread: asked.thread,
    ...known,
    threadPlace: place,
    event: stored,
    text,
    externalId: null,
    repeated: false,
    caption: { speaker: null, help: false },
    ...rest,
  };
  return { said, delivery };
}

const callsTo = (method: string) => house.server.calls().filter((call) => call.method === method);
const blockTypes = (message: { blocks?: unknown[] } | undefined) =>
  ((message?.blocks ?? []) as { type: string }[]).map((block) => block.type);
const leftOut = async () =>
  /switchboard_deliveries_total\{binding_kind="slack",outcome="without_picture"\} (\d+)/.exec(
    await house.core.metrics.page(),
  )?.[1];

describe('a desktop in a message', () => {
  it('is its picture, a link to watch and a button to take over, in the thread', async () => {
    await open();
    const { said, delivery } = await answerTo('This is what I see.', { card: await card() });
    const { externalId } = await door.deliver(delivery);
    const [message] = house.server.replies('C1', said.ts);
    expect(externalId).toBe(`C1:${message?.ts}`);
    expect(message?.blocks).toMatchObject([
      { type: 'markdown', text: 'This is what I see.' },
      {
        type: 'image',
        title: { text: 'Assistant’s desktop' },
        alt_text: expect.stringContaining('Assistant’s desktop'),
      },
      { type: 'actions' },
    ]);
    expect(buttonsOf(message ?? {}).map(({ text, url }) => [text.text, url])).toEqual([
      ['Watch', watchUrl],
      ['Take over', undefined],
    ]);
    const [file] = house.server.workspace.files.all();
    expect(file?.bytes).toEqual(delivery.card?.still?.data);
    expect(file?.shares).toEqual([]);
    // Notifications show the text: nothing that opens a desktop stands there.
    expect(message?.text).not.toContain('token');
  });

  it('waits until Slack has looked at the picture', async () => {
    await open();
    house.server.workspace.files.processFor(400);
    const { said, delivery } = await answerTo('Look.', { card: await card() });
    await door.deliver(delivery);
    expect(blockTypes(house.server.replies('C1', said.ts)[0])).toEqual(['markdown', 'image', 'actions']);
    expect(callsTo('chat.postMessage')).toHaveLength(1);
  });

  it.each<[string, () => void]>([
    ['the bytes do not arrive', () => house.server.failUploads(1)],
    ['the app lacks the scope', () => house.server.failNext('files.getUploadURLExternal', 'missing_scope')],
    [
      'Slack asks to wait',
      () => house.server.limits.storm({ methods: ['files.completeUploadExternal'], retryAfter: 1, forMs: 60_000 }),
    ],
    ['Slack is at the picture for ever', () => house.server.workspace.files.processFor(60_000)],
    ['Slack finds fault with it after all', () => house.server.failNext('chat.postMessage', 'invalid_blocks')],
  ])('goes without its picture when %s, which is counted', async (_what, hinder) => {
    await open();
    hinder();
    const { said, delivery } = await answerTo('Look.', { card: await card() });
    await door.deliver(delivery);
    const [message, ...more] = house.server.replies('C1', said.ts);
    expect(more).toEqual([]);
    expect(blockTypes(message)).toEqual(['markdown', 'section', 'actions']);
    expect(await leftOut()).toBe('1');
  });

  it('that is sent again after a crash is the same message', async () => {
    await open();
    const { said, delivery } = await answerTo('Look.', { card: await card() });
    const first = await door.deliver(delivery);
    const second = await door.deliver({ ...delivery, repeated: true, card: await card({ watchUrl: `${watchUrl}2` }) });
    expect(second.externalId).toBe(first.externalId);
    const [message, ...more] = house.server.replies('C1', said.ts);
    expect(more).toEqual([]);
    expect(buttonsOf(message ?? {})[0]?.url).toBe(`${watchUrl}2`);
  });
});

describe('a click', () => {
  async function shown(channel = 'C1') {
    const { said, delivery } = await answerTo('Look.', { card: await card() }, channel);
    const { externalId } = await door.deliver(delivery);
    const message = house.server.workspace.find(channel, externalId.slice(externalId.indexOf(':') + 1));
    if (!message) throw new Error('it does not stand in Slack');
    return { said, message, delivery };
  }
  const click = (
    message: StoredMessage,
    action: string,
    changes: Record<string, unknown> = {},
    secret = signingSecret,
  ) =>
    sendClick({
      url: house.eventsUrl,
      patienceMs,
      signingSecret: secret,
      payload: clickPayload(house.server.workspace, { message, user: 'U2', action }, changes),
    });
  const saidBy = async (user: string) => (await house.stored()).filter((event) => event.from === user);

  it.each(['C1', 'D1'])('on "Take over" in %s is that person’s `control` in that conversation', async (channel) => {
    await open();
    house.server.workspace.addChannel('D1', { kind: 'im', members: ['U1', 'U2'] });
    const { message, delivery } = await shown(channel);
    expect((await click(message, 'desktop_take_over')).status).toBe(200);
    expect(await saidBy('U2')).toMatchObject([{ body: 'control', thread: delivery.thread, sourceKind: 'human' }]);
  });

  it('on "Take over" is answered to that person alone, with a link that is in no Event', async () => {
    await open({ prompts: chatPrompts });
    const { database } = house.core;
    const { message, delivery } = await shown();
    // As pairing makes it: U2 is the owner.
    await database.query(
      `insert into identity (organisation, platform, external_id, worker) values ('default', 'slack', 'T0ACME:U2', $1)`,
      [ownerWorker],
    );
    house.server.workspace.addChannel('C1', { members: ['U2'] });
    await database.query(
      `insert into desktop (organisation, id, worker, thread, home, desired, state, generation, width, height)
       values ('default', 'd-1', 'w-assistant', $1, 'd-1', 'running', 'running', 1, 1920, 1080)`,
      [delivery.thread],
    );
    const posted = callsTo('chat.postMessage').length;
    const { status, ms } = await click(message, 'desktop_take_over');
    expect(status).toBe(200);
    const [alone, ...more] = house.server.workspace.ephemerals;
    expect(more).toEqual([]);
    expect(alone).toMatchObject({ channel: 'C1', user: 'U2', threadTs: message.threadTs });
    const [toControl, toWatch] = buttonsOf(alone ?? {});
    expect([toControl?.text.text, toWatch?.text.text]).toEqual(['Open and control', 'Watch']);
    expect(toControl?.url).toMatch(/\/d\/d-1#ey/);
    expect(callsTo('chat.postMessage')).toHaveLength(posted);
    const events = await database.query('select body, extra::text, attachments::text from event');
    expect(JSON.stringify(events)).not.toContain('#ey');
    // Slack waits 3 s: the quickest of three clicks counts.
    const times = [ms];
    for (let n = 0; n < 2; n++) times.push((await click(message, 'desktop_take_over')).ms);
    expect(Math.min(...times)).toBeLessThan(3000);
    expect(house.server.workspace.ephemerals).toHaveLength(3);
  });

  it('that comes again is one `control`', async () => {
    await open();
    const { message } = await shown();
    const payload = clickPayload(house.server.workspace, { message, user: 'U2', action: 'desktop_take_over' });
    for (let n = 0; n < 2; n++)
      expect((await sendClick({ url: house.eventsUrl, patienceMs, signingSecret, payload })).status).toBe(200);
    expect(await saidBy('U2')).toHaveLength(1);
  });

  it('on a link is only told to us: 200, and nothing is said', async () => {
    await open();
    const { message } = await shown();
    expect((await click(message, 'desktop_watch')).status).toBe(200);
    expect(await saidBy('U2')).toEqual([]);
  });

  it('with a bad signature is 401, without a form’s payload 400, in another workspace 200; nothing is stored', async () => {
    await open();
    const { message } = await shown();
    expect((await click(message, 'desktop_take_over', {}, 'another secret')).status).toBe(401);
    const elsewhere = { team: { id: 'T0OTHER' }, message: { ts: message.ts, user: 'U0OTHERBOT' } };
    expect((await click(message, 'desktop_take_over', elsewhere)).status).toBe(200);
    expect((await click(message, 'desktop_take_over', { actions: [{ type: 'button' }] })).status).toBe(400);
    expect(await saidBy('U2')).toEqual([]);
  });
});

describe('an answer for one person alone', () => {
  it('is shown to that person in the thread, with a link to control, and stands nowhere', async () => {
    await open();
    const { said, delivery } = await answerTo('Look.');
    const before = house.server.workspace.byApp().length;
    await door.tellAlone({
      ...delivery,
      person: 'T0ACME:U1',
      text: 'This opens it for you.',
      card: await card({ controlUrl, offersControl: false }),
    });
    const [shown, ...more] = house.server.workspace.ephemerals;
    expect(more).toEqual([]);
    expect(shown).toMatchObject({ channel: 'C1', user: 'U1', threadTs: said.ts });
    expect(buttonsOf(shown ?? {}).map(({ text, url }) => [text.text, url])).toEqual([
      ['Open and control', controlUrl],
      ['Watch', watchUrl],
    ]);
    expect(house.server.workspace.byApp()).toHaveLength(before);
    // One call: Slack waits 3 s for the answer to what was clicked.
    expect(callsTo('files.getUploadURLExternal')).toEqual([]);
  });

  it('is refused with a sentence where the person is not there, and waits when Slack asks to', async () => {
    await open();
    const { delivery } = await answerTo('Look.');
    const answer = { ...delivery, person: 'T0ACME:U9', text: 'Yours.' };
    house.server.workspace.addUser('U9');
    await expect(door.tellAlone(answer)).rejects.toThrow(/not in the Slack channel/);
    house.server.limits.storm({ methods: ['chat.postEphemeral'], retryAfter: 60, forMs: 60_000 });
    await expect(door.tellAlone(answer)).rejects.toBeInstanceOf(OutsideUnavailable);
    const asked = callsTo('chat.postEphemeral').length;
    await expect(door.tellAlone(answer)).rejects.toThrow(/asked to wait/);
    expect(callsTo('chat.postEphemeral')).toHaveLength(asked);
  });
});

describe('files', () => {
  const clip: OutgoingFile = { name: 'clip.mp4', type: 'video/mp4', data: Buffer.alloc(70_000, 7) };
  const log: OutgoingFile = { name: 'log.txt', type: 'text/plain', data: Buffer.from('done\n') };
  const sharedIn = (thread: string) => house.server.replies('C1', thread).flatMap((message) => message.files ?? []);

  it('come into the thread after their message, whole', async () => {
    await open();
    const { said, delivery } = await answerTo('The last 30 seconds.', { files: [clip, log] });
    const { externalId, externalIds } = await door.deliver(delivery);
    const [message, ...shares] = house.server.replies('C1', said.ts);
    expect(externalId).toBe(`C1:${message?.ts}`);
    expect(shares.map((share) => `C1:${share.ts}`)).toEqual(externalIds);
    const files = sharedIn(said.ts).map((id) => house.server.workspace.files.find(id));
    expect(files.map((file) => [file?.name, file?.bytes])).toEqual([
      ['clip.mp4', clip.data],
      ['log.txt', log.data],
    ]);
  });

  it('that were shared before a crash are not shared again, and those that were not are', async () => {
    await open();
    const { said, delivery } = await answerTo('The last 30 seconds.', { files: [clip, clip, log] });
    house.server.hangUpAfter('files.completeUploadExternal', 1);
    await expect(door.deliver(delivery)).rejects.toBeInstanceOf(OutsideUnavailable);
    expect(sharedIn(said.ts)).toHaveLength(1);
    await door.deliver({ ...delivery, repeated: true });
    expect(sharedIn(said.ts)).toHaveLength(3);
    await door.deliver({ ...delivery, repeated: true });
    expect(sharedIn(said.ts)).toHaveLength(3);
    expect(callsTo('chat.postMessage')).toHaveLength(1);
  });

  it('that Slack takes and does not show are sent once more', async () => {
    await open();
    const { said, delivery } = await answerTo('The last 30 seconds.', { files: [clip] });
    house.server.workspace.files.dropShares(1);
    await expect(door.deliver(delivery)).rejects.toThrow('Slack took clip.mp4 and does not show it');
    await door.deliver({ ...delivery, repeated: true });
    expect(sharedIn(said.ts)).toHaveLength(1);
  });

  it('that Slack will never take are linked to in the message, with the reason', async () => {
    await open();
    const url = 'https://switchboard.example/f/f-1#eyJh.b.c';
    const { said, delivery } = await answerTo('The last 30 seconds.', { files: [{ ...clip, url }] });
    house.server.failNext('files.getUploadURLExternal', 'file_uploads_disabled');
    await door.deliver(delivery);
    expect(house.server.replies('C1', said.ts).map((message) => message.text)).toEqual([
      `The last 30 seconds.\n\n_(<${url}|clip.mp4> could not be sent as a file: the Slack workspace takes no such files (file_uploads_disabled).)_`,
    ]);
  });
});

describe('a message that stands alone in a channel', () => {
  it('begins a thread: what people answer there, and clicks, come into the same Thread', async () => {
    await open();
    const { delivery } = await answerTo('Look.', { card: await card() });
    await house.core.database.query('delete from thread_binding where thread = $1', [delivery.thread]);
    await door.deliver({ ...delivery, threadPlace: null });
    const [message] = house.server.workspace.byApp();
    if (!message) throw new Error('nothing was posted');
    expect(message.threadTs).toBeUndefined();
    const payload = clickPayload(house.server.workspace, { message, user: 'U2', action: 'desktop_take_over' });
    await sendClick({ url: house.eventsUrl, patienceMs, signingSecret, payload });
    house.events.say({ channel: 'C1', user: 'U3', text: 'and this?', threadTs: message.ts });
    await house.events.settled();
    const after = (await house.stored()).filter((event) => event.from === 'U2' || event.from === 'U3');
    expect(after.map((event) => [event.body, event.thread])).toEqual([
      ['control', delivery.thread],
      ['and this?', delivery.thread],
    ]);
  });
});

describe('who speaks', () => {
  it('is said where it is not the one whom people expect there', async () => {
    await open();
    const { said, delivery } = await answerTo('Found it.');
    await door.deliver({ ...delivery, caption: { speaker: 'Scout', help: false } });
    const { delivery: own } = await answerTo('And me.');
    await door.deliver(own);
    expect(house.server.replies('C1', said.ts)[0]?.blocks).toEqual([
      { type: 'markdown', text: '**Scout**\n\nFound it.' },
    ]);
    expect(house.server.workspace.byApp().at(-1)?.blocks).toEqual([{ type: 'markdown', text: 'And me.' }]);
  });
});

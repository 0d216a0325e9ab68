import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Door, OutgoingDelivery, PrivateAnswer } from '../delivery/door.ts';
import { startOutbox } from '../delivery/outbox.ts';
import type { LaneLoop } from '../dispatch/lane-loop.ts';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import type { ThreadId } from '../store/ids.ts';
import { type Event, eventColumns } from '../streams/message.ts';
import { receive, type Sender } from '../streams/receive.ts';
import { reportEdit } from '../streams/report-change.ts';
import { callDuringActivation } from '../tools/testing/during-activation.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import { firstPicture, type StandInHost } from './testing/stand-in-host.ts';
import { openViewer } from './testing/viewer.ts';
import { wordsForReader } from './words-for-reader.ts';

const delivered: OutgoingDelivery[] = [];
const private_: PrivateAnswer[] = [];
let refusePrivate = false;

const mail: Door = {
  kind: 'mail',
  drafts: false,
  async deliver(delivery) {
    delivered.push(delivery);
    return { externalId: delivery.id };
  },
};
const chat: Door = {
  ...mail,
  kind: 'chat',
  async tellAlone(answer) {
    if (refusePrivate) throw new Error('the platform said no');
    private_.push(answer);
  },
};

let house: DesktopHouse;
let host: StandInHost;
let outbox: LaneLoop;
beforeAll(async () => {
  house = await openDesktopHouse({ doors: [mail, chat], settings: { DESKTOPS_PER_ORGANISATION: 50 } });
  host = await house.addHost({ capacity: 50 });
  outbox = startOutbox(house.core);
  await house.core.database.query(
    `insert into identity (organisation, platform, external_id, worker)
     values ('default', 'mail', 'owner@x.example', 'w-owner'), ('default', 'chat', 'T1:U1', 'w-owner')`,
  );
  await house.core.database.query(
    `insert into stream (organisation, id, name, kind, default_worker) values ('default', 's-chat', 'Chat', 'channel', 'w-assistant')`,
  );
  await house.core.database.query(
    `insert into binding (organisation, id, stream, kind, external_id) values ('default', 'b-chat', 's-chat', 'chat', 'C1')`,
  );
});
afterAll(async () => {
  await outbox.stop(0);
  await house[Symbol.asyncDispose]();
});
beforeEach(() => {
  delivered.length = 0;
  private_.length = 0;
  refusePrivate = false;
});

const owner: Sender = { platform: 'mail', externalId: 'owner@x.example', name: 'Owner', verified: true };
const guest: Sender = { platform: 'mail-unverified', externalId: 'g@x.example', name: 'Gwen', verified: false };
let sent = 0;

/** What somebody writes by mail, in a thread of its own unless one is said; gives the mail that answers it. */
async function write(
  body: string,
  sender = owner,
  thread?: ThreadId,
): Promise<OutgoingDelivery & { thread: ThreadId }> {
  const name = `<m${++sent}@x.example>`;
  const received = await receive(house.core, {
    organisation: 'default',
    binding: { id: 'b-mail', stream: 's-mail' },
    sender,
    message: { body, messageId: name, from: 'x@x.example' },
    receipts: [name],
    ...(thread ? { thread } : { threadPlace: name }),
    addressed: ['w-assistant'],
  });
  const { event } = received.appended;
  return await eventually(async () => delivered.find((one) => one.event?.extra.answers === event));
}

/** The same in a chat that shows things to one person alone. */
async function say(body: string, threadPlace: string, externalId = 'T1:U1'): Promise<ThreadId> {
  const name = `chat-${++sent}`;
  const { appended } = await receive(house.core, {
    organisation: 'default',
    binding: { id: 'b-chat', stream: 's-chat' },
    sender: { platform: 'chat', externalId, name: 'Ada', verified: true },
    message: { body, messageId: name },
    receipts: [name],
    threadPlace,
    addressed: ['w-assistant'],
  });
  return appended.thread;
}

const urlsIn = (text: string) => [...text.matchAll(/https?:\/\/\S+/g)].map(([url]) => url);
/** The links of a message's card, the one that does most first. */
const linksOf = ({ card }: Pick<OutgoingDelivery, 'card'>) =>
  [card?.controlUrl, card?.watchUrl].filter((url) => url !== undefined);

describe('`desktop` by mail', () => {
  it('starts it and answers with a still and two links: to control, for who asked, then to watch', async () => {
    const answer = await write('desktop');
    expect(answer.text).toBe("Assistant's desktop");
    const [control = '', watch = ''] = linksOf(answer);
    expect(answer.card).toMatchObject({
      title: "Assistant's desktop",
      controlUrl: expect.any(String),
      offersControl: true,
    });
    expect(answer.card?.still?.data).toEqual(firstPicture);
    const viewer = await openViewer(house.url, control);
    expect(await viewer.heard('hello')).toMatchObject({ mode: 'control' });
    viewer.socket.close();
    const watching = await openViewer(house.url, watch);
    expect(await watching.heard('hello')).toMatchObject({ mode: 'watch' });
    watching.socket.close();
  });

  it('leaves no link in the database: each rendering makes its own', async () => {
    const answer = await write('desktop');
    const tokens = linksOf(answer).map((url) => new URL(url).hash.slice(1));
    expect(tokens).toHaveLength(2);
    const { database } = house.core;
    for (const table of ['event', 'step', 'delivery', 'viewer_link', 'desktop', 'receipt'])
      for (const token of tokens)
        expect(await database.query(`select 1 from ${table} t where t::text like '%' || $1 || '%'`, [token])).toEqual(
          [],
        );
    for (const token of tokens) expect(house.first.logged()).not.toContain(token);
  });

  it('refuses a guest politely, and says what to do', async () => {
    const before = await house.core.database.query('select id from desktop');
    const answer = await write('desktop', guest);
    expect(answer.text).toContain('I am sorry: desktops are for people who are known here');
    expect(answer.text).toContain('pairing code');
    expect(answer.card).toBeUndefined();
    expect(await house.core.database.query('select id from desktop')).toEqual(before);
  });

  it('gives no link to control to who may not, and none to watch when the desktop could not be started', async () => {
    const { database } = house.core;
    await database.query(`delete from "grant" where worker = 'w-owner' and tool = 'control_desktop'`);
    const answer = await write('desktop');
    expect(linksOf(answer)).toHaveLength(1);
    expect(answer.card?.controlUrl).toBeUndefined();
    await database.query(
      `insert into "grant" (organisation, worker, tool) values ('default', 'w-owner', 'control_desktop')`,
    );
  });

  it('is stopped by `desktop stop`', async () => {
    const { thread } = await write('desktop');
    expect((await write('desktop stop', owner, thread)).text).toContain('Stopped. Its files are kept');
    expect((await write('desktop stop', owner, thread)).text).toBe('No desktop is running here.');
  });

  it('an event that somebody else wrote shows no desktop, whatever it holds', async () => {
    const { thread } = await write('desktop');
    const [row] = await house.core.database.query<{ id: string }>('select id from desktop where thread = $1', [thread]);
    await house.core.database.query(`update event set extra = $2 where thread = $1 and source_kind = 'human'`, [
      thread,
      JSON.stringify({ desktop: { id: row?.id, link: 'control', for: 'w-owner' } }),
    ]);
    const { shownIn } = await import('./shown-desktop.ts');
    const events = await house.core.database.query<{ sourceKind: 'human' | 'notice'; extra: Record<string, unknown> }>(
      `select source_kind as "sourceKind", extra from event where thread = $1 order by position`,
      [thread],
    );
    expect(events.map((event) => shownIn(event)?.link ?? null)).toEqual([null, 'watch']);
  });
});

it('the owner of a terminal is given the same links with each reading of the event', async () => {
  const { event } = await write('desktop');
  if (!event) throw new Error('no event');
  const words = await wordsForReader(house.core, event, 'w-owner');
  expect(urlsIn(words)).toHaveLength(2);
  expect(await wordsForReader(house.core, event, 'w-owner')).not.toBe(words);
  expect(await wordsForReader(house.core, { ...event, sourceKind: 'human' }, 'w-owner')).toBe('');
});

describe('`clip`', () => {
  it('posts the last seconds as a file, which goes with the message', async () => {
    const { thread } = await write('desktop');
    const answer = await write('clip 12', owner, thread);
    expect(host.requests.at(-1)).toMatchObject({ method: 'clip', seconds: 12 });
    expect(answer.text).toBe("The last 12 seconds of Assistant's desktop.");
    expect(answer.files).toEqual([
      {
        name: 'assistant-12s.mp4',
        type: 'video/mp4',
        data: Buffer.from('the last 12 seconds'),
        url: expect.stringMatching(/\/f\/f-\w+#ey/),
      },
    ]);
    expect(answer.event?.attachments).toEqual([]);
    const [stored] = await house.core.database.query<{ attachments: { url: string }[] }>(
      `select attachments from event where id = $1`,
      [answer.event?.id],
    );
    expect(stored?.attachments[0]?.url).toMatch(/^file:f-/);
  });

  it('says why not, when nothing has been recorded', async () => {
    const { thread } = await write('desktop');
    host.answer('clip', () => ({ error: { code: 'refused', message: 'nothing was recorded yet' } }));
    expect((await write('clip', owner, thread)).text).toBe('nothing was recorded yet');
    expect((await write('clip', owner)).text).toBe('No desktop is running here: say `desktop` to start it.');
  });
});

describe('in a chat that can tell one person alone', () => {
  it('`desktop` posts a card for everybody, without links in the text', async () => {
    const thread = await say('desktop', '1');
    const card = await eventually(async () => delivered.find((one) => one.thread === thread)?.card);
    expect(card).toMatchObject({ title: "Assistant's desktop", offersControl: true });
    expect(card.controlUrl).toBeUndefined();
    expect(delivered[0]?.text).toBe("Assistant's desktop");
  });

  it('`control` is answered to who asked and to nobody else', async () => {
    const thread = await say('control', '2');
    expect(private_).toMatchObject([
      { person: 'T1:U1', threadPlace: '2', text: expect.stringContaining("To take over Assistant's desktop:") },
    ]);
    const viewer = await openViewer(house.url, private_[0]?.card?.controlUrl ?? '');
    expect(await viewer.heard('hello')).toMatchObject({ mode: 'control' });
    viewer.socket.close();
    expect(await house.notices(thread)).toEqual([]);
    expect(delivered).toEqual([]);
  });

  it('`wall` too', async () => {
    await say('wall', '3');
    expect(private_).toMatchObject([
      { card: { title: 'All desktops', watchUrl: expect.stringContaining('/wall#'), still: null } },
    ]);
  });

  it('that says no: the thread is told to ask again, and asking again is answered', async () => {
    refusePrivate = true;
    const thread = await say('control', '4');
    expect(await house.notices(thread)).toEqual([
      'I could not show you this alone just now: say it again in a moment.',
    ]);
    refusePrivate = false;
    await say('control', '4');
    expect(private_).toHaveLength(1);
  });

  it('who has no grant to control says an ordinary word', async () => {
    const thread = await say('control', '5', 'T1:U2');
    const [event] = await house.core.database.query<{ extra: object }>('select extra from event where thread = $1', [
      thread,
    ]);
    expect(event?.extra).toEqual({});
    expect(private_).toEqual([]);
  });
});

describe('an agent with one desktop for all its threads', () => {
  it('shows it to those who manage it, and in no thread that others read', async () => {
    const { database } = house.core;
    await database.query(`update role set desktop = 'worker' where id = 'r-assistant'`);
    const answer = await write('desktop');
    expect(answer.card?.watchUrl).toBeDefined();
    const [desktop] = await database.query('select id from desktop where thread is null');
    expect(desktop).toBeDefined();
    await database.query(
      `insert into worker (organisation, id, name, kind, position) values ('default', 'w-kim', 'Kim', 'human', 'p-assistant')`,
    );
    await database.query(`insert into participant (organisation, thread, worker) values ('default', $1, 'w-kim')`, [
      answer.thread,
    ]);
    expect((await write('desktop', owner, answer.thread)).text).toContain('watched by its managers only; not by w-kim');
    await database.query(`update role set desktop = 'thread' where id = 'r-assistant'`);
  });

  it('has links of the own of who asks only: a place that others read gets none, not even when the agent asks for help', async () => {
    const { database } = house.core;
    await database.query(`update role set desktop = 'worker' where id = 'r-assistant'`);
    try {
      const mailed = await write('desktop');
      const { sub } = jwt.decode(new URL(mailed.card?.watchUrl ?? '').hash.slice(1)) as { sub?: string };
      expect(sub).toBe('w-owner');
      await say('desktop', '6');
      expect(private_).toHaveLength(1);
      expect(private_[0]?.card?.watchUrl).toBeDefined();
      delivered.length = 0;
      const thread = await say('hello there', '7', 'T1:U2');
      await callDuringActivation(house.core, { behalf: [], thread }, 'ask_for_help', {
        reason: 'A login.',
      });
      const asked = await eventually(async () => delivered.find(({ text }) => text.includes('A login.')));
      expect(asked.card).toBeUndefined();
      expect(asked.text).toContain('shown to those who manage it: they say `wall`');
      const [event] = await database.query<Event>(
        `select ${eventColumns} from event e where e.thread = $1 and e.extra ? 'desktop'`,
        [thread],
      );
      if (!event) throw new Error('nothing was shown');
      expect(urlsIn(await wordsForReader(house.core, event, 'w-kim'))).toEqual([]);
      expect(urlsIn(await wordsForReader(house.core, event, 'w-owner'))).toHaveLength(2);
    } finally {
      await database.query(`update role set desktop = 'thread' where id = 'r-assistant'`);
    }
  });
});

describe('a mail that quotes a link of ours', () => {
  it('leaves no token of it in the thread, nor does an edit', async () => {
    const answer = await write('desktop');
    const [url = ''] = linksOf(answer);
    const token = new URL(url).hash.slice(1);
    const { appended } = await receive(house.core, {
      organisation: 'default',
      binding: { id: 'b-mail', stream: 's-mail' },
      sender: owner,
      message: { body: `it does not open:\n> ${url}`, subject: `Re: ${url}` },
      receipts: ['<quotes@x.example>'],
      thread: answer.thread,
    });
    await reportEdit(
      house.core,
      { organisation: 'default', binding: 'b-mail', externalId: '<quotes@x.example>' },
      `it still does not open: ${url}`,
    );
    const [event] = await house.core.database.query<Event>(`select ${eventColumns} from event e where e.id = $1`, [
      appended.event,
    ]);
    expect(event?.body).toBe(`it still does not open: ${url.replace(token, 'token-removed')}`);
    expect(event?.subject).toBe(`Re: ${url.replace(token, 'token-removed')}`);
    const signature = token.split('.')[2] ?? '';
    expect(
      await house.core.database.query('select 1 from event e where position($1 in e::text) > 0', [signature]),
    ).toEqual([]);
  });
});

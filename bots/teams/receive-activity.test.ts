import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import { makePairingCode } from '../../core/organisation/pairing.ts';
import { defaultOrganisation } from '../../core/organisation/seed.ts';
import { alex, bot, inChannel, inGroup, megan, personal } from './testing/activities.ts';
import { openTeamsHouse, type TeamsHouse, tenant } from './testing/teams-house.ts';

let house: TeamsHouse;

beforeAll(async () => {
  house = await openTeamsHouse();
});

afterAll(async () => {
  await house.close();
});

async function send(activity: object): Promise<void> {
  expect(await house.send(activity)).toEqual({ status: 200, body: '' });
}

/** Events that say this, with their Thread. */
async function found(body: string) {
  return (await house.events()).filter((event) => event.body === body);
}

async function threadOf(body: string): Promise<string> {
  const [event, ...more] = await found(body);
  if (!event || more.length > 0) throw new Error(`"${body}" was stored ${more.length + (event ? 1 : 0)} times`);
  return event.thread;
}

async function shown(conversation: string, text: string): Promise<void> {
  await eventually(async () => [...house.connector.messages(conversation).values()].includes(text));
}

const channelThread = (root: string) => `19:general@thread.tacv2;messageid=${root}`;

describe('a personal chat', () => {
  it('needs no mention, and its first message makes a private Stream with Assistant behind it', async () => {
    await send(personal(house, 'first words'));
    await shown('a:1personal', 'echo: first words');
    const [stream] = await house.database.query(
      `select s.name, s.kind, s.default_worker as worker from stream s join binding b on b.stream = s.id and b.organisation = s.organisation
       where b.external_id = 'a:1personal'`,
    );
    expect(stream).toEqual({ name: 'Alex Wilber (Teams)', kind: 'dm', worker: 'w-assistant' });
  });

  it('is one Thread until `new`', async () => {
    await send(personal(house, 'one'));
    await send(personal(house, 'two'));
    expect(await threadOf('two')).toBe(await threadOf('one'));
    await send(personal(house, 'new'));
    await shown('a:1personal', 'Done. What you say next begins a new conversation.');
    await send(personal(house, 'three'));
    expect(await threadOf('three')).not.toBe(await threadOf('one'));
    await shown('a:1personal', 'echo: three');
  });

  it('and begins another Thread after eight idle hours', async () => {
    await send(personal(house, 'in the evening'));
    await shown('a:1personal', 'echo: in the evening');
    await house.database.query(
      `update event set created_at = created_at - interval '7 hours' where thread = '${await threadOf('in the evening')}'`,
    );
    await send(personal(house, 'late at night'));
    expect(await threadOf('late at night')).toBe(await threadOf('in the evening'));
    await shown('a:1personal', 'echo: late at night');
    await house.database.query(
      `update event set created_at = created_at - interval '9 hours' where thread = '${await threadOf('in the evening')}'`,
    );
    await send(personal(house, 'the next day'));
    expect(await threadOf('the next day')).not.toBe(await threadOf('in the evening'));
  });

  it('shows that somebody is about to answer', async () => {
    await send(personal(house, 'are you there?'));
    await eventually(async () => house.connector.calls.some((call) => call.action === 'typing'));
  });
});

describe('a group chat', () => {
  it('needs a mention in every message: what people say to one another is not stored', async () => {
    await send(inGroup(house, 'between us'));
    await send(inGroup(house, '@what do you think?'));
    await shown('19:group@thread.v2', 'echo: what do you think?');
    await send(inGroup(house, 'between us', { from: megan }));
    expect(await found('between us')).toEqual([]);
    await send(inGroup(house, '@and now?', { from: megan }));
    expect(await threadOf('and now?')).toBe(await threadOf('what do you think?'));
  });
});

describe('a channel', () => {
  it('is bound by the first mention; the answer goes to the thread of the mention', async () => {
    await send(inChannel(house, '@look into this', '100'));
    await shown(channelThread('100'), 'echo: look into this');
    expect(house.connector.messages('19:general@thread.tacv2').size).toBe(0);
  });

  it('passes on what follows in the thread without a mention, to the same conversation', async () => {
    await send(inChannel(house, 'and one more thing', '100', { from: megan }));
    await shown(channelThread('100'), 'echo: and one more thing');
    expect(await threadOf('and one more thing')).toBe(await threadOf('look into this'));
  });

  it('has a Thread for each of its threads', async () => {
    await send(inChannel(house, '@something else', '200'));
    expect(await threadOf('something else')).not.toBe(await threadOf('look into this'));
    const [one, other] = [await found('something else'), await found('look into this')];
    expect(one[0]?.stream).toBe(other[0]?.stream);
  });

  it('keeps what is said elsewhere in it to itself', async () => {
    await send(inChannel(house, 'not for the bot', '300'));
    expect(await found('not for the bot')).toEqual([]);
    const unbound = { channelData: { channel: { id: '19:other' }, tenant: { id: tenant } } };
    await send(inChannel(house, 'not for the bot', '301', unbound));
    expect(await house.database.query(`select 1 from binding where external_id = '19:other'`)).toEqual([]);
  });

  it('is stored for people who listen to all of it, and wakes nobody then', async () => {
    const [{ stream } = { stream: '' }] = await found('something else');
    const listen = `insert into subscription (organisation, worker, stream, mode) values ('default', 'w-owner', '${stream}', 'all')`;
    await house.database.query(listen);
    await send(inChannel(house, 'small talk', '400'));
    const [talk] = await found('small talk');
    expect(await house.database.query(`select 1 from trigger where event = '${talk?.id}'`)).toEqual([]);
    await house.database.query(`delete from subscription where worker = 'w-owner' and stream = '${stream}'`);
  });

  it('says that it sees mentions only, until a message without one has come', async () => {
    const other = { channelData: { channel: { id: '19:quiet' }, tenant: { id: tenant } } };
    await send(inChannel(house, '@help', '500', other));
    const answer = async (root: string) =>
      await eventually(async () => [...house.connector.messages(channelThread(root)).values()][0]);
    expect(await answer('500')).toContain('mention me in every message');
    await send(inChannel(house, '@help', '501'));
    expect(await answer('501')).toContain('`mute`');
    expect(await answer('501')).not.toContain('mention me in every message');
  });
});

describe('who is speaking', () => {
  it('is known by tenant and Entra object id, in lower case; a namesake is somebody else', async () => {
    await send(personal(house, 'it is me'));
    const rows = await house.database.query(`select external_id as id, worker from identity where platform = 'teams'`);
    expect(rows.map((row) => row.id)).toContain(`${tenant}:${alex.aadObjectId.toLowerCase()}`);
    const namesake = { ...alex, id: '29:other', aadObjectId: 'ffffffff-0000-4000-8000-000000000001' };
    await send(personal(house, 'I am Alex too', { from: namesake }));
    const [one, other] = [await found('it is me'), await found('I am Alex too')];
    expect(one[0]?.author).not.toBe(other[0]?.author);
  });

  it('becomes the owner with the code of `npx switchboard pair`, which is stored nowhere', async () => {
    const code = await makePairingCode(house.database, defaultOrganisation, 'w-owner');
    await send(personal(house, code));
    await shown('a:1personal', 'Done: you are linked. From now on I know you here.');
    await send(personal(house, 'as the owner'));
    expect((await found('as the owner'))[0]?.author).toBe('w-owner');
    expect((await house.events()).some((event) => event.body.includes(code))).toBe(false);
  });

  it('is no bot', async () => {
    await send(personal(house, 'from ourselves', { from: bot }));
    await send(inGroup(house, '@from another bot', { from: { id: '28:another', name: 'Bot' } }));
    expect([...(await found('from ourselves')), ...(await found('from another bot'))]).toEqual([]);
  });
});

describe('a message', () => {
  it('that was edited is replaced, one that was deleted is blank; nobody is woken', async () => {
    const said = personal(house, 'a misteak');
    await send(said);
    const [event] = await found('a misteak');
    await send({
      ...said,
      type: 'messageUpdate',
      text: 'a mistake',
      channelData: { eventType: 'editMessage', tenant: { id: tenant } },
    });
    expect((await found('a mistake'))[0]).toMatchObject({ id: event?.id });
    await send({
      ...said,
      type: 'messageDelete',
      text: '',
      channelData: { eventType: 'softDeleteMessage', tenant: { id: tenant } },
    });
    expect(await found('a mistake')).toEqual([]);
    const triggers = await house.database.query(`select 1 from trigger where event = '${event?.id}'`);
    expect(triggers).toHaveLength(1);
    await send({ ...personal(house, 'never seen'), type: 'messageUpdate' });
    expect(await found('never seen')).toEqual([]);
  });

  it('brings its files and pictures as links', async () => {
    const attachments = [
      {
        contentType: 'application/vnd.microsoft.teams.file.download.info',
        name: 'plan.docx',
        content: { downloadUrl: 'https://example.sharepoint.com/plan?token=1', fileType: 'docx' },
      },
      { contentType: 'image/png', contentUrl: 'https://smba.trafficmanager.net/x', name: 'shot.png' },
      { contentType: 'image/*', contentUrl: 'file:///etc/passwd' },
      { contentType: 'application/vnd.microsoft.card.adaptive', content: {} },
    ];
    await send(personal(house, 'the plan', { attachments }));
    expect((await found('the plan'))[0]?.attachments.map(({ name, url }) => [name, url])).toEqual([
      ['plan.docx', 'https://example.sharepoint.com/plan?token=1'],
      ['shot.png', 'https://smba.trafficmanager.net/x'],
    ]);
  });

  it('without an id is taken too', async () => {
    await send(personal(house, 'no id', { id: undefined }));
    expect(await found('no id')).toHaveLength(1);
  });

  it('is taken whatever is odd about what is not needed', async () => {
    const odd = {
      entities: [null, 7, { type: 'mention' }],
      attachments: 'none',
      membersAdded: {},
      channelData: 'x',
      from: { ...alex, name: null },
    };
    expect((await house.send(personal(house, 'odd', odd))).status).toBe(200);
    expect(await found('odd')).toHaveLength(1);
  });
});

describe('where the bot was added', () => {
  const added = (activity: object) => ({
    ...activity,
    type: 'conversationUpdate',
    text: undefined,
    membersAdded: [bot, { id: alex.id }],
  });

  it('it says hello once, however often Teams tells', async () => {
    const conversation = { conversationType: 'personal', id: 'a:newcomer', tenantId: tenant };
    for (let n = 0; n < 3; n++) await send(added(personal(house, '', { conversation })));
    const texts = await eventually(async () => {
      const values = [...house.connector.messages('a:newcomer').values()];
      return values.length > 0 && values;
    });
    expect(texts).toEqual([expect.stringContaining('`help`')]);
    await send(personal(house, 'hello to you', { conversation }));
    await shown('a:newcomer', 'echo: hello to you');
    expect([...house.connector.messages('a:newcomer').keys()]).toHaveLength(2);
  });

  it('in a channel it begins a thread, and what is said there belongs to it', async () => {
    const channel = '19:new-channel@thread.tacv2';
    const conversation = { conversationType: 'channel', isGroup: true, id: channel, tenantId: tenant };
    const channelData = { channel: { id: channel }, team: { id: channel, name: 'Sales' }, tenant: { id: tenant } };
    await send(added(personal(house, '', { conversation, channelData })));
    const begun = await eventually(async () => house.connector.calls.find((call) => call.conversation === channel));
    expect(begun).toMatchObject({
      action: 'begin',
      text: expect.stringContaining('only the messages that mention me'),
    });
    const root = await eventually(async () => {
      const [row] = await house.database.query<{ place: string }>(
        `select tb.external_id as place from thread_binding tb join binding b on b.id = tb.binding where b.external_id = '${channel}'`,
      );
      return row?.place.includes(';messageid=') ? row.place : undefined;
    });
    await send(inChannel(house, '@thank you', '', { conversation: { ...conversation, id: root }, channelData }));
    await shown(root, 'echo: thank you');
    const [row] = await house.database.query(
      `select count(*)::int as n from thread t join stream s on s.id = t.stream where s.name = 'Sales'`,
    );
    expect(row).toEqual({ n: 1 });
  });

  it('others who come and go are none of its business', async () => {
    const conversation = { conversationType: 'personal', id: 'a:others', tenantId: tenant };
    await send({
      ...personal(house, '', { conversation }),
      type: 'conversationUpdate',
      membersAdded: [{ id: megan.id }],
    });
    expect(await house.database.query(`select 1 from binding where external_id = 'a:others'`)).toEqual([]);
  });
});

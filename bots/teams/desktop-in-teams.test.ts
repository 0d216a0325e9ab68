import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DesktopCard, OutgoingDelivery } from '../../core/delivery/door.ts';
import { OutsideUnavailable } from '../../core/dispatch/failure.ts';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import type { Event } from '../../core/streams/message.ts';
import { shrinkStill } from './shrink-still.ts';
import { TeamsDoor } from './teams-door.ts';
import { alex, inChannel, megan, personal } from './testing/activities.ts';
import { openTeamsHouse, type TeamsHouse, tenant } from './testing/teams-house.ts';

let house: TeamsHouse;
let door: TeamsDoor;
let screen: Buffer;
let roots = 0;

beforeAll(async () => {
  house = await openTeamsHouse();
  const found = house.core.doors.get('teams');
  if (!(found instanceof TeamsDoor)) throw new Error('no Teams door');
  door = found;
  screen = await busyScreen();
});

afterAll(() => house.close());

beforeEach(() => house.connector.refuse(() => undefined));

const watchUrl = `https://switchboard.example.com/d/d-1#${'w'.repeat(500)}`;
const controlUrl = `https://switchboard.example.com/d/d-1#${'c'.repeat(500)}`;

/** 640 × 360 pixels of text and edges, as a desktop has them: noise would be no picture of one, and nor would a plain colour. */
async function busyScreen(): Promise<Buffer> {
  const rows = Array.from(
    { length: 24 },
    (_, n) =>
      `<text x="8" y="${14 + n * 14}" font-size="11" fill="#${n % 2 ? 'ddd' : '8f8'}">drwxr-xr-x ${n * 7919} root ${'lorem ipsum dolor '.repeat(5)}</text>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"><rect width="640" height="360" fill="#222"/>${rows.join('')}</svg>`;
  return await sharp(Buffer.from(svg)).jpeg({ quality: 80 }).toBuffer();
}

function card(changes: Partial<DesktopCard> = {}): DesktopCard {
  return {
    title: 'Assistant’s desktop',
    watchUrl,
    still: { data: screen, width: 640, height: 360 },
    offersControl: true,
    ...changes,
  };
}

/** Somebody has spoken in a thread of a channel (or in a chat), and this is what is to be said there: the test alone sends it. */
async function answerTo(activity: object, rest: Partial<OutgoingDelivery> = {}): Promise<OutgoingDelivery> {
  await house.send(activity);
  const { id } = activity as { id: string };
  const asked = await eventually(async () => (await house.events()).find((event) => event.messageId === id));
  const [place] = await house.database.query<Pick<OutgoingDelivery, 'binding'> & { threadPlace: string }>(
    `select jsonb_build_object('id', b.id, 'kind', b.kind, 'externalId', b.external_id, 'config', b.config) as binding,
       t.external_id as "threadPlace" from binding b join thread_binding t on t.binding = b.id where t.thread = $1`,
    [asked.thread],
  );
  if (!place) throw new Error('nothing is bound');
  return {
    organisation: asked.organisation,
    id: 'd-test',
    thread: asked.thread,
    event: asked as Event,
    text: 'This is what I see.',
    externalId: null,
    createdAt: new Date(),
    repeated: false,
    caption: { speaker: null, help: false },
    ...place,
    ...rest,
  };
}

/** In a thread of its own. */
function inThread(): object {
  roots += 1;
  return inChannel(house, '@show me', String(roots));
}
const callsTo = (conversation: string) => house.connector.calls.filter((call) => call.conversation === conversation);
/** Without what the house itself answers there, at about the same time. */
const oursTo = (conversation: string) => callsTo(conversation).filter((call) => !call.text?.startsWith('echo:'));
const cardsIn = (conversation: string) => callsTo(conversation).flatMap((call) => call.card ?? []);

describe('a desktop in a message', () => {
  it('is one card: what is said, the picture, a link to watch, a button to take over', async () => {
    const delivery = await answerTo(inThread(), { card: card() });
    const { externalId } = await door.deliver(delivery);
    const [shown, ...more] = cardsIn(delivery.threadPlace ?? '');
    expect(more).toEqual([]);
    expect(externalId).toMatch(/^\d+$/);
    expect(shown?.version).toBe('1.5');
    expect(shown?.body.map(({ type, text }) => [type, text])).toEqual([
      ['TextBlock', 'This is what I see.'],
      ['TextBlock', 'Assistant’s desktop'],
      ['Image', undefined],
    ]);
    expect(shown?.actions).toEqual([
      { type: 'Action.OpenUrl', title: 'Watch', url: watchUrl },
      { type: 'Action.Submit', title: 'Take over', data: { switchboard: 'control' } },
    ]);
    const picture = shown?.body.find(({ type }) => type === 'Image')?.url ?? '';
    const { width, format } = await sharp(Buffer.from(picture.split(',')[1] ?? '', 'base64')).metadata();
    expect([width, format]).toEqual([320, 'jpeg']);
  });

  it('stands after a text that is too long for a card, with a picture that fits', async () => {
    const text = 'lorem ipsum '.repeat(400).trim();
    const delivery = await answerTo(inThread(), { card: card(), text });
    const { externalId } = await door.deliver(delivery);
    expect(externalId).toMatch(/^\d+ \d+$/);
    const [first, second] = oursTo(delivery.threadPlace ?? '').slice(-2);
    expect(first).toMatchObject({ text, card: undefined });
    expect(second?.card?.body.map(({ type }) => type)).toEqual(['TextBlock', 'Image']);
  });

  it('goes without a picture that does not fit or is none, which is counted', async () => {
    await expect(shrinkStill(screen, 1000)).rejects.toThrow('does not fit into 1000 characters');
    const still = { data: Buffer.from('no picture'), width: 640, height: 360 };
    const delivery = await answerTo(inThread(), { card: card({ still }) });
    await door.deliver(delivery);
    expect(cardsIn(delivery.threadPlace ?? '')[0]?.body.map(({ type }) => type)).toEqual(['TextBlock', 'TextBlock']);
    expect(await house.core.metrics.page()).toContain('binding_kind="teams",outcome="without_picture"} 1');
  });
});

describe('a click at "Take over"', () => {
  const click = (where: object) => ({ ...where, text: undefined, entities: [], value: { switchboard: 'control' } });
  const saidBy = async (thread: string, body: string) =>
    (await house.events()).filter((event) => event.thread === thread && event.body === body);

  it('is that person’s `control` in that thread, without a mention', async () => {
    const activity = inThread();
    const delivery = await answerTo(activity);
    const clicked = click({ ...personal(house, ''), ...pick(activity), from: megan });
    expect((await house.send(clicked)).status).toBe(200);
    expect((await house.send(clicked)).status).toBe(200);
    expect(await saidBy(delivery.thread, 'control')).toMatchObject([{ from: megan.aadObjectId, sourceKind: 'human' }]);
  });

  it('with another value is nothing to us', async () => {
    const activity = inThread();
    const delivery = await answerTo(activity);
    await house.send({ ...click({ ...personal(house, ''), ...pick(activity) }), value: { switchboard: 'hire' } });
    expect(await saidBy(delivery.thread, 'hire')).toEqual([]);
  });
});

describe('an answer for one person alone', () => {
  const mine = () => card({ controlUrl, offersControl: false });
  const person = `${tenant}:${megan.aadObjectId}`;
  const chat = `a:chat-with-${megan.aadObjectId}`;

  it('asked for in a channel opens the personal chat of that person and the bot, and goes there', async () => {
    const delivery = await answerTo(inThread());
    await eventually(async () => callsTo(delivery.threadPlace ?? '').length > 0);
    const before = callsTo(delivery.threadPlace ?? '').length;
    await door.tellAlone({ ...delivery, person, text: 'This opens it for you.', card: mine() });
    expect(callsTo(chat).map((call) => call.action)).toEqual(['open', 'post']);
    expect(cardsIn(chat)[0]?.actions).toEqual([
      { type: 'Action.OpenUrl', title: 'Open and control', url: controlUrl },
      { type: 'Action.OpenUrl', title: 'Watch', url: watchUrl },
    ]);
    expect(callsTo(delivery.threadPlace ?? '')).toHaveLength(before);
  });

  it('goes to the personal chat that there is, and stays there when it was asked for in it', async () => {
    const inPersonal = await answerTo(personal(house, 'control it'));
    const ofAlex = { person: `${tenant}:${alex.aadObjectId.toLowerCase()}`, card: mine() };
    await door.tellAlone({ ...inPersonal, ...ofAlex, text: 'Asked here.' });
    await door.tellAlone({ ...(await answerTo(inThread())), ...ofAlex, text: 'Asked elsewhere.' });
    const told = callsTo('a:1personal').filter((call) => call.card);
    expect(told.map((call) => [call.action, call.text, call.card?.actions[0]?.url])).toEqual([
      ['post', 'Asked here.', controlUrl],
      ['post', 'Asked elsewhere.', controlUrl],
    ]);
  });

  it.each(['open', 'post'])(
    'where Teams refuses to %s, the channel is told what to do, and no link',
    async (refused) => {
      const delivery = await answerTo(inThread());
      const place = delivery.threadPlace ?? '';
      await eventually(async () => callsTo(place).length > 0);
      house.connector.refuse((call) =>
        call.action === refused && call.conversation === chat
          ? { status: 403, code: 'ForbiddenOperationException' }
          : undefined,
      );
      await door.tellAlone({ ...delivery, person, text: 'This opens it for you.', card: mine() });
      const told = callsTo(place).at(-1);
      expect(told?.text).toMatch(/Open one \(\*Apps\*/);
      expect(JSON.stringify(callsTo(place).map((call) => call.body))).not.toContain('ccc');
    },
  );

  it('waits for nothing: where Teams asks to wait, it fails and says so', async () => {
    const delivery = await answerTo(inThread());
    house.connector.refuse((call) => (call.action === 'open' ? { status: 429, retryAfter: '2' } : undefined));
    await expect(door.tellAlone({ ...delivery, person, text: 'x' })).rejects.toBeInstanceOf(OutsideUnavailable);
  });
});

describe('files', () => {
  it('are linked to, because a bot cannot send them to a channel', async () => {
    const url = 'https://switchboard.example/f/f-1#eyJh.b.c';
    const files = [{ name: 'clip [1].mp4', type: 'video/mp4', data: Buffer.alloc(10), url }];
    const delivery = await answerTo(inThread(), { text: 'The last 30 seconds.', files });
    await door.deliver(delivery);
    expect(oursTo(delivery.threadPlace ?? '').at(-1)?.text).toBe(
      `The last 30 seconds.\n\n[clip  1 .mp4](${url}) (opens for a day at most)`,
    );
  });
});

/** Where an activity was said. */
function pick(activity: object): object {
  const { conversation, channelData } = activity as { conversation: object; channelData: object };
  return { conversation, channelData };
}

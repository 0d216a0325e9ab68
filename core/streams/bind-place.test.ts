import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import { coreForTests, furnish } from '../dispatch/testing/core-for-tests.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { append } from './append.ts';
import { describePlace, findOrBindPlace, type PlaceDescription } from './bind-place.ts';
import { chatPlace, endChat, isChatPlace } from './chat-thread.ts';
import { findPlace } from './find-place.ts';

const organisation = 'acme';
let database: TestDatabase;
let core: Core;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await testDatabase();
  ({ core, close } = await coreForTests({ url: database.url }));
  await furnish(core, organisation, [
    { id: 'w-ada', kind: 'human' },
    { id: 'w-zoe', kind: 'ai' },
    { id: 'w-assistant', kind: 'ai' },
  ]);
});

afterAll(async () => {
  await close();
  await database.close();
});

const place = (externalId: string) => ({ organisation, kind: 'slack', externalId });
const channel = (name: string, isPrivate = false): PlaceDescription => ({
  name: `#${name}`,
  idFrom: `slack ${name}`,
  description: `The Slack channel #${name}.`,
  isPrivate,
});

async function streamOf(externalId: string) {
  const [row] = await core.database.query(
    `select s.id, s.name, s.kind, s.default_worker as "defaultWorker" from stream s
       join binding b on b.organisation = s.organisation and b.stream = s.id
     where b.organisation = $1 and b.kind = 'slack' and b.external_id = $2`,
    [organisation, externalId],
  );
  return row;
}

describe('a place to which nothing is bound', () => {
  it('gets a stream with Assistant as its default worker, which may read there', async () => {
    expect(await findPlace(core.database, place('C1'))).toBeNull();
    const bound = await findOrBindPlace(core.database, place('C1'), async () => channel('news'));
    expect(bound).toMatchObject({
      stream: 's-slack-news',
      defaultWorker: 'w-assistant',
      described: true,
      thread: null,
    });
    expect(bound.listeners).toBe('nobody');
    expect(await streamOf('C1')).toEqual({
      id: 's-slack-news',
      name: '#news',
      kind: 'channel',
      defaultWorker: 'w-assistant',
    });
    const subscriptions = await core.database.query(
      'select worker, mode from subscription where organisation = $1 and stream = $2',
      [organisation, bound.stream],
    );
    expect(subscriptions).toEqual([{ worker: 'w-assistant', mode: 'mentions' }]);
  });

  it('is bound once, however many meet it at the same time', async () => {
    const found = await Promise.all(
      Array.from({ length: 8 }, () => findOrBindPlace(core.database, place('C2'), async () => channel('busy'))),
    );
    expect(new Set(found.map((each) => each.stream)).size).toBe(1);
    expect(await core.database.query(`select 1 from stream where name = '#busy'`)).toHaveLength(1);
  });

  it('gets another id than a stream that is called the same', async () => {
    const bound = await findOrBindPlace(core.database, place('C3'), async () => channel('news'));
    expect(bound.stream).toBe('s-slack-news-2');
  });

  it('is private while its platform has not told, and what it tells later counts once', async () => {
    const bound = await findOrBindPlace(core.database, place('C4'), async () => undefined);
    expect(bound.described).toBe(false);
    expect(await streamOf('C4')).toMatchObject({ id: 's-slack-c4', name: 'C4', kind: 'dm' });
    await describePlace(core.database, organisation, bound.binding, channel('late'));
    await describePlace(core.database, organisation, bound.binding, channel('later'));
    expect(await streamOf('C4')).toMatchObject({ name: '#late', kind: 'channel' });
    expect(await findPlace(core.database, place('C4'))).toMatchObject({ described: true });
  });

  it('stays private when it is so there', async () => {
    await findOrBindPlace(core.database, place('G5'), async () => channel('secret', true));
    expect(await streamOf('G5')).toMatchObject({ kind: 'dm' });
  });

  it('is given to another AI worker where Assistant was dismissed', async () => {
    await core.database.query(`update worker set dismissed_at = now() where id = 'w-assistant'`);
    const bound = await findOrBindPlace(core.database, place('C6'), async () => channel('without'));
    await core.database.query(`update worker set dismissed_at = null where id = 'w-assistant'`);
    expect(bound.defaultWorker).toBe('w-zoe');
  });
});

describe('a place that is bound', () => {
  async function bound(externalId: string) {
    return await findOrBindPlace(core.database, place(externalId), async () => channel(externalId.toLowerCase()));
  }

  async function say(at: { binding: `b-${string}`; stream: `s-${string}` }, threadPlace: string, key: string) {
    return await append(core, {
      organisation,
      stream: at.stream,
      author: 'w-ada',
      sourceKind: 'human',
      cameBy: at.binding,
      receipts: [key],
      threadPlace: { binding: at.binding, externalId: threadPlace },
      message: { body: 'hello' },
    });
  }

  it('says whether everything said there is wanted, and by whom', async () => {
    const at = await bound('C10');
    const listeners = async () => (await findPlace(core.database, place('C10')))?.listeners;
    const subscribe = (worker: string) =>
      core.database.query(
        `insert into subscription (organisation, worker, stream, mode) values ($1, $2, $3, 'all')
         on conflict (organisation, worker, stream) do update set mode = 'all'`,
        [organisation, worker, at.stream],
      );
    expect(await listeners()).toBe('nobody');
    await subscribe('w-ada');
    expect(await listeners()).toBe('people');
    await subscribe('w-zoe');
    expect(await listeners()).toBe('agents');
  });

  it('knows the thread at a place, and whether an agent takes part in it', async () => {
    const at = await bound('C11');
    const { thread } = await say(at, '1.1', '1.1');
    const [found, other, none] = await Promise.all([
      findPlace(core.database, { ...place('C11'), threadPlace: '1.1' }),
      findPlace(core.database, { ...place('C11'), threadPlace: '9.9' }),
      findPlace(core.database, place('C12')),
    ]);
    expect(found?.thread).toMatchObject({ id: thread, hasAgent: false });
    expect(other).toMatchObject({ thread: null });
    expect(none).toBeNull();
    await core.database.query('insert into participant (organisation, thread, worker) values ($1, $2, $3)', [
      organisation,
      thread,
      'w-zoe',
    ]);
    expect((await findPlace(core.database, { ...place('C11'), threadPlace: '1.1' }))?.thread?.hasAgent).toBe(true);
  });

  it('that is a chat has one thread until it is ended; the old one keeps a place in the chat', async () => {
    const at = await bound('D13');
    const first = await say(at, chatPlace, 'a');
    expect((await say(at, chatPlace, 'b')).thread).toBe(first.thread);
    expect(await endChat(core.database, organisation, first.thread)).toBe(true);
    expect(await endChat(core.database, organisation, first.thread)).toBe(false);
    const second = await say(at, chatPlace, 'c');
    expect(second.thread).not.toBe(first.thread);
    const places = await core.database.query<{ place: string }>(
      'select external_id as place from thread_binding where organisation = $1 and binding = $2',
      [organisation, at.binding],
    );
    expect(places.map((each) => isChatPlace(each.place))).toEqual([true, true]);
  });

  it('tells for how long a thread has been idle', async () => {
    const at = await bound('D14');
    const { event } = await say(at, chatPlace, 'a');
    await core.database.query(`update event set created_at = now() - interval '9 hours' where id = $1`, [event]);
    const found = await findPlace(core.database, { ...place('D14'), threadPlace: chatPlace });
    expect(found?.thread?.idleSeconds).toBeGreaterThan(8.9 * 3600);
    expect(found?.thread?.idleSeconds).toBeLessThan(9.1 * 3600);
  });
});

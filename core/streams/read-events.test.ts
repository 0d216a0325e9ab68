import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Core } from '../core.ts';
import { coreForTests, furnish } from '../dispatch/testing/core-for-tests.ts';
import type { StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { append } from './append.ts';
import { directMessagesOf, openDirectMessages } from './direct-messages.ts';
import { beginning, decodeCursor } from './event-cursor.ts';
import { type EventPage, type ReadRequest, readEvents } from './read-events.ts';

const organisation = 'o';
let testing: TestDatabase;
let core: Core;
let close: () => Promise<void>;
beforeAll(async () => {
  testing = await testDatabase();
  ({ core, close } = await coreForTests({ url: testing.url }));
  await furnish(core, organisation, [
    { id: 'w-ada', kind: 'human', mode: 'all' },
    { id: 'w-bob', kind: 'human', mode: 'all' },
    { id: 'w-eve', kind: 'human' },
    { id: 'w-bot', kind: 'ai', mode: 'mentions' },
  ]);
});
afterAll(async () => {
  await close();
  await testing.close();
});

let streams = 0;
/** A channel of a test's own, with these subscribers. */
async function channel(...subscribers: WorkerId[]): Promise<StreamId> {
  const id: StreamId = `s-test-${streams++}`;
  await core.database.query(`insert into stream (organisation, id, name) values ($1, $2, $2)`, [organisation, id]);
  await core.database.query(
    `insert into subscription (organisation, worker, stream) select $1, w, $2 from unnest($3::text[]) w`,
    [organisation, id, subscribers],
  );
  return id;
}

async function say(stream: StreamId, body: string, author: WorkerId = 'w-ada', thread?: ThreadId) {
  return await append(core, {
    organisation,
    stream,
    author,
    sourceKind: 'human',
    message: { body },
    ...(thread ? { thread } : {}),
  });
}

function read(readers: WorkerId[], request: Partial<ReadRequest> = {}): Promise<EventPage> {
  return readEvents(core.database, organisation, { readers, limit: 50, characters: 100_000, ...request });
}

const bodies = (page: EventPage) => page.events.map((event) => event.body);

test('the newest page, then back page by page to the first, then forward from where it was', async () => {
  const stream = await channel('w-ada');
  for (let n = 1; n <= 7; n++) await say(stream, `m${n}`);
  const newest = await read(['w-ada'], { stream, limit: 3 });
  expect(bodies(newest)).toEqual(['m5', 'm6', 'm7']);
  const middle = await read(['w-ada'], { stream, limit: 3, cursor: decodeCursor(newest.earlier ?? '') });
  expect(bodies(middle)).toEqual(['m2', 'm3', 'm4']);
  const first = await read(['w-ada'], { stream, limit: 3, cursor: decodeCursor(middle.earlier ?? '') });
  expect(bodies(first)).toEqual(['m1']);
  expect(first.earlier).toBeUndefined();

  expect(bodies(await read(['w-ada'], { stream, cursor: decodeCursor(first.cursor) }))).toEqual([
    'm2',
    'm3',
    'm4',
    'm5',
    'm6',
    'm7',
  ]);
  expect(bodies(await read(['w-ada'], { stream, cursor: decodeCursor(newest.cursor) }))).toEqual([]);
  await say(stream, 'm8');
  expect(bodies(await read(['w-ada'], { stream, cursor: decodeCursor(newest.cursor) }))).toEqual(['m8']);
});

test('from the beginning, page by page, each event comes once and in order', async () => {
  const stream = await channel('w-ada');
  for (let n = 1; n <= 7; n++) await say(stream, `m${n}`);
  const seen: string[] = [];
  let cursor = beginning;
  for (;;) {
    const page = await read(['w-ada'], { stream, limit: 3, cursor });
    seen.push(...bodies(page));
    cursor = decodeCursor(page.cursor);
    if (!page.more) break;
  }
  expect(seen).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7']);
});

test('over several streams a cursor misses nothing that was committed late', async () => {
  const [one, two] = [await channel('w-eve'), await channel('w-eve')];
  await say(one, 'one-1');
  await say(two, 'two-1');
  const start = await read(['w-eve']);
  expect(bodies(start).sort()).toEqual(['one-1', 'two-1']);

  // An append to `one` begins, one to `two` overtakes it and is read; then the first commits.
  await core.database.transaction(async (tx) => {
    await tx.query(`update stream set position = position + 1 where organisation = $1 and id = $2`, [
      organisation,
      one,
    ]);
    await tx.query(
      `insert into event (organisation, id, stream, position, thread, author, source_kind, origin, body)
       values ($1, 'e-late', $2, 2, 't-late', 'w-ada', 'human', 'e-late', 'one-2')`,
      [organisation, one],
    );
    await say(two, 'two-2');
    const page = await read(['w-eve'], { cursor: decodeCursor(start.cursor) });
    expect(bodies(page)).toEqual(['two-2']);
    start.cursor = page.cursor;
  });
  const page = await read(['w-eve'], { cursor: decodeCursor(start.cursor) });
  expect(bodies(page)).toEqual(['one-2']);
  expect(bodies(await read(['w-eve'], { cursor: decodeCursor(page.cursor) }))).toEqual([]);
});

test('over several streams pages go back and forth without a gap, even where times run against positions', async () => {
  const [one, two] = [await channel('w-bot'), await channel('w-bot')];
  for (let n = 1; n <= 4; n++) {
    await say(one, `one-${n}`);
    await say(two, `two-${n}`);
  }
  await core.database.query(
    `update event set created_at = now() - make_interval(mins => position) where organisation = $1 and stream = $2`,
    [organisation, one],
  );
  const everything = new Set(bodies(await read(['w-bot'])));
  expect(everything.size).toBe(8);
  const forward: string[] = [];
  for (let cursor = beginning; ; ) {
    const page = await read(['w-bot'], { limit: 3, cursor });
    forward.push(...bodies(page));
    cursor = decodeCursor(page.cursor);
    if (!page.more) break;
  }
  expect(forward).toHaveLength(8);
  expect(new Set(forward)).toEqual(everything);
  expect(forward.filter((body) => body.startsWith('one'))).toEqual(['one-1', 'one-2', 'one-3', 'one-4']);

  const back: string[] = [];
  for (let page = await read(['w-bot'], { limit: 3 }); ; ) {
    back.unshift(...bodies(page));
    if (!page.earlier) break;
    page = await read(['w-bot'], { limit: 3, cursor: decodeCursor(page.earlier) });
  }
  expect(back).toHaveLength(8);
  expect(new Set(back)).toEqual(everything);
});

test('a channel is read by its subscribers only, and by all who will see the answer', async () => {
  const stream = await channel('w-ada', 'w-bob');
  const { thread } = await say(stream, 'internal');
  expect(bodies(await read(['w-ada', 'w-bob'], { stream }))).toEqual(['internal']);
  await expect(read(['w-eve'], { stream })).rejects.toThrow(`unknown stream "${stream}"`);
  await expect(read(['w-ada', 'w-eve'], { stream })).rejects.toThrow('unknown stream');
  await expect(read(['w-ada', 'w-eve'], { thread })).rejects.toThrow(`unknown thread "${thread}"`);
  await expect(read([], { stream })).rejects.toThrow('unknown stream');
  expect(bodies(await read(['w-ada', 'w-eve']))).not.toContain('internal');
});

test('a mail is read by the participants of its thread only', async () => {
  const ada = await say('s-mail', 'from ada', 'w-ada');
  await say('s-mail', 'from bob', 'w-bob');
  expect(bodies(await read(['w-ada'], { stream: 's-mail' }))).toEqual(['from ada']);
  expect(bodies(await read(['w-bob'], { stream: 's-mail' }))).toEqual(['from bob']);
  await expect(read(['w-bob'], { thread: ada.thread })).rejects.toThrow('unknown thread');
  await expect(read(['w-bob', 'w-ada'], { thread: ada.thread })).rejects.toThrow('unknown thread');
  expect(bodies(await read(['w-bob', 'w-ada'], { stream: 's-mail' }))).toEqual([]);
});

test('a direct message is one thread for the two, and nobody else knows of it', async () => {
  const forth = await openDirectMessages(core.database, organisation, 'w-ada', 'w-bob');
  expect(await openDirectMessages(core.database, organisation, 'w-bob', 'w-ada')).toEqual(forth);
  expect(forth.stream).toBe('s-dm-w-ada-w-bob');
  await say(forth.stream, 'psst', 'w-ada', forth.thread);
  expect(bodies(await read(['w-bob'], { stream: forth.stream }))).toEqual(['psst']);
  await expect(read(['w-eve'], { stream: forth.stream })).rejects.toThrow('unknown stream');
});

test('two pairs of workers never come to one direct message', () => {
  const pairs: [WorkerId, WorkerId][] = [
    ['w-x', 'w-y-w-z'],
    ['w-x-w-y', 'w-z'],
    ['w-x', 'w-y'],
    ['w-x-y', 'w-z'],
    ['w-x', 'w-y-z'],
  ];
  expect(new Set(pairs.map(([a, b]) => directMessagesOf(a, b).stream)).size).toBe(pairs.length);
});

test('a page ends before it grows too long, and a long body is read in parts without losing a character', async () => {
  const stream = await channel('w-ada');
  const long = `${'äö🙂'.repeat(500)}end`;
  await say(stream, 'short');
  await say(stream, long);
  await say(stream, 'after');
  const first = await read(['w-ada'], { stream, cursor: beginning, characters: 1000 });
  expect(bodies(first)).toEqual(['short']);
  expect(first.more).toBe(true);

  let page = await read(['w-ada'], { stream, cursor: decodeCursor(first.cursor), characters: 1000 });
  expect(page.events).toHaveLength(1);
  const next = page.cursor;
  let body = page.events[0]?.body ?? '';
  while (page.events[0]?.rest) {
    page = await read(['w-ada'], { cursor: decodeCursor(page.events[0].rest), characters: 1000 });
    body += page.events[0]?.body;
  }
  expect(body).toBe(long);
  await expect(
    read(['w-eve'], { cursor: { kind: 'rest', event: page.events[0]?.id ?? 'e-', offset: 0 } }),
  ).rejects.toThrow('unknown event');
  expect(bodies(await read(['w-ada'], { stream, cursor: decodeCursor(next) }))).toEqual(['after']);
});

test.each(['', 'nonsense', 'WyJhIl0', Buffer.from('["a",{"s-x":-1}]').toString('base64url'), 'null'])(
  '%j is no cursor',
  (text) => {
    expect(() => decodeCursor(text)).toThrow('is no cursor');
  },
);

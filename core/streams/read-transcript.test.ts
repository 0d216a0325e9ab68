import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Core } from '../core.ts';
import { coreForTests, furnish } from '../dispatch/testing/core-for-tests.ts';
import type { WorkerId } from '../store/ids.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { append } from './append.ts';
import { beginning, decodeCursor } from './event-cursor.ts';
import { readTranscript } from './read-transcript.ts';

const organisation = 'o';
const stream = 's-activation-w-bot';
let testing: TestDatabase;
let core: Core;
let close: () => Promise<void>;
beforeAll(async () => {
  testing = await testDatabase();
  ({ core, close } = await coreForTests({ url: testing.url }));
  await furnish(core, organisation, [
    { id: 'w-ada', kind: 'human', mode: 'all' },
    { id: 'w-bob', kind: 'human', mode: 'all' },
    { id: 'w-bot', kind: 'ai', mode: 'mentions' },
  ]);
  await core.database.query(`insert into subscription (organisation, worker, stream) values ($1, 'w-ada', $2)`, [
    organisation,
    stream,
  ]);
  await activation('a-channel', 's-general', 'w-bob');
  await activation('a-mail', 's-mail', 'w-bob');
});
afterAll(async () => {
  await close();
  await testing.close();
});

/** An Activation with four steps, in a Thread that this Worker began. */
async function activation(id: string, place: 's-general' | 's-mail', author: WorkerId): Promise<void> {
  const { thread, event } = await append(core, {
    organisation,
    stream: place,
    author,
    sourceKind: 'human',
    message: { body: 'do' },
    silent: true,
  });
  await core.database.query(
    `insert into activation (organisation, id, worker, stream, thread, origin) values ($1, $2, 'w-bot', $3, $4, $5)`,
    [organisation, id, place, thread, event],
  );
  const steps: [string, unknown][] = [
    ['start', {}],
    ['tool_call', { id: '1', tool: 'publish', input: { body: `secret of ${id}` } }],
    ['tool_result', { id: '1', tool: 'publish', output: `secret of ${id}`, isError: true }],
    ['text', { text: `secret of ${id}` }],
    ['end', { outcome: 'done' }],
  ];
  for (const [index, [kind, content]] of steps.entries())
    await core.database.query(
      `with s as (update stream set position = position + 1 where organisation = $1 and id = $2 returning position)
       insert into step (organisation, activation, number, stream, position, kind, content)
       select $1, $3, $4, $2, s.position, $5, $6::jsonb from s`,
      [organisation, stream, id, index + 1, kind, JSON.stringify(content)],
    );
}

const read = (readers: WorkerId[], more: Partial<Parameters<typeof readTranscript>[2]> = {}) =>
  readTranscript(core.database, organisation, { readers, stream, limit: 50, characters: 100_000, ...more });

test('whoever manages a worker reads its steps in order, without what was said where they take no part', async () => {
  const { events } = await read(['w-ada']);
  expect(events.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
    'a-channel/1 start',
    'a-channel/2 tool_call',
    'a-channel/3 tool_result',
    'a-channel/4 text',
    'a-channel/5 end',
    'a-mail/1 start',
    'a-mail/2 tool_call',
    'a-mail/3 tool_result',
    'a-mail/4 text',
    'a-mail/5 end',
  ]);
  expect(events[1]?.body).toBe('publish {"body":"secret of a-channel"}');
  expect(events[2]?.body).toBe('publish failed: secret of a-channel');
  expect(events[3]?.body).toBe('secret of a-channel');
  expect(JSON.stringify(events)).not.toContain('secret of a-mail');
  expect(events[6]).toMatchObject({ withheld: true, body: 'publish (arguments withheld)' });
});

test('nobody else reads them: not the worker, not who is not subscribed, not a mixed company', async () => {
  for (const readers of [['w-bot'], ['w-bob'], ['w-ada', 'w-bob']] as WorkerId[][])
    await expect(read(readers)).rejects.toThrow('is read by those who manage the worker');
  await expect(read(['w-ada'], { stream: 's-activation-w-nobody' })).rejects.toThrow('unknown stream');
});

test('a cursor goes on after the last step, and back before the first', async () => {
  const first = await read(['w-ada'], { cursor: beginning, limit: 4 });
  expect(first).toMatchObject({ more: true, events: { length: 4 } });
  const rest = await read(['w-ada'], { cursor: decodeCursor(first.cursor), limit: 50 });
  expect(rest).toMatchObject({ more: false, events: { length: 6 } });
  expect((await read(['w-ada'], { cursor: decodeCursor(rest.cursor) })).events).toEqual([]);
  const newest = await read(['w-ada'], { limit: 3 });
  const before = await read(['w-ada'], { limit: 50, cursor: decodeCursor(newest.earlier ?? '') });
  expect([...before.events, ...newest.events].map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

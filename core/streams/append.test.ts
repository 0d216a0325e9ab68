import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import { coreForTests, furnish } from '../dispatch/testing/core-for-tests.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { append } from './append.ts';
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
    { id: 'w-all', kind: 'ai', mode: 'all' },
    { id: 'w-mentioned', kind: 'ai', mode: 'mentions' },
  ]);
});

afterAll(async () => {
  await close();
  await database.close();
});

const said = (body: string) => ({
  organisation,
  stream: 's-general' as const,
  author: 'w-ada' as const,
  sourceKind: 'human' as const,
  message: { body },
});

async function triggersOf(event: string): Promise<string[]> {
  const rows = await core.database.query<{ worker: string }>(
    'select worker from trigger where organisation = $1 and event = $2 order by worker',
    [organisation, event],
  );
  return rows.map((row) => row.worker);
}

describe('append', () => {
  it('writes the event, its triggers and its place in the stream, in order', async () => {
    const first = await append(core, said('one'));
    const second = await append(core, { ...said('two'), thread: first.thread });
    expect(second.position).toBe(first.position + 1);
    expect(second.thread).toBe(first.thread);
    expect(await triggersOf(first.event)).toEqual(['w-all']);
  });

  it('gives every position once when many append together', async () => {
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => append(core, said(`burst ${i}`))));
    expect(new Set(results.map((result) => result.position)).size).toBe(40);
  });

  it('makes one event of one external id, however often and however much at once it comes', async () => {
    const incoming = {
      ...said('by mail'),
      stream: 's-mail' as const,
      cameBy: 'b-mail' as const,
      receipts: ['<1@example.org>'],
      threadPlace: { binding: 'b-mail' as const, externalId: '<1@example.org>' },
    };
    const results = await Promise.all(Array.from({ length: 10 }, () => append(core, incoming)));
    expect(new Set(results.map((result) => result.event)).size).toBe(1);
    expect(results.filter((result) => !result.duplicate)).toHaveLength(1);
    const later = await append(core, { ...incoming, receipts: ['another-name', '<1@example.org>'] });
    expect(later.duplicate).toBe(true);
    const byOtherName = await append(core, { ...incoming, receipts: ['another-name'] });
    expect(byOtherName.event).toBe(later.event);
  });

  it('finds the thread by its place, and does not send an event back where it came from', async () => {
    const place = { binding: 'b-mail' as const, externalId: '<2@example.org>' };
    const mail = { ...said('hello'), stream: 's-mail' as const, cameBy: 'b-mail' as const };
    const first = await append(core, { ...mail, receipts: ['<2@example.org>'], threadPlace: place });
    const second = await append(core, { ...mail, receipts: ['<3@example.org>'], threadPlace: place });
    expect(second.thread).toBe(first.thread);
    expect(first.deliveries).toEqual([]);
    const reply = await append(core, {
      organisation,
      stream: 's-mail',
      thread: first.thread,
      author: 'w-all',
      sourceKind: 'ai',
      hops: 1,
      origin: first.event,
      message: { body: 'hello back' },
    });
    expect(reply.deliveries).toMatchObject([{ binding: 'b-mail' }]);
  });

  it('asks again when what was found out with the place is out of date, and keeps the rest of the batch together', async () => {
    const [binding] = await core.database.query<{ kind: string; externalId: string }>(
      `select kind, external_id as "externalId" from binding where organisation = $1 and id = 'b-mail'`,
      [organisation],
    );
    if (!binding) throw new Error('there is no place');
    const ask = (name: string) =>
      findPlace(core.database, {
        organisation,
        ...binding,
        threadPlace: name,
        message: { sender: { platform: 'mail', externalId: 'x@example.org' }, body: 'hello', receipts: [name] },
      });
    const found = await Promise.all(['<8@x>', '<9@x>'].map(ask));
    const send = (n: number, name: string) => {
      const resolved = found[n]?.message?.resolved;
      if (!resolved) throw new Error('the place was not found');
      const threadPlace = { binding: 'b-mail' as const, externalId: name };
      return append(core, {
        ...said('hello'),
        stream: 's-mail',
        cameBy: 'b-mail',
        receipts: [name],
        threadPlace,
        resolved,
      });
    };
    const first = await send(0, '<8@x>');
    const [again, other] = await Promise.all([send(0, '<8@x>'), send(1, '<9@x>')]);
    expect([first.duplicate, again.duplicate, other.duplicate]).toEqual([false, true, false]);
    expect(again.event).toBe(first.event);
    expect(other.thread).not.toBe(first.thread);
  });

  it('wakes a worker that only listens to mentions when it is named, or takes part', async () => {
    const named = await append(core, { ...said('mentioned, look'), addressed: ['w-mentioned'], addressedByName: true });
    expect(await triggersOf(named.event)).toEqual(['w-all', 'w-mentioned']);
    const followUp = await append(core, { ...said('and?'), thread: named.thread });
    expect(await triggersOf(followUp.event)).toEqual(['w-all', 'w-mentioned']);
    const elsewhere = await append(core, said('something else'));
    expect(await triggersOf(elsewhere.event)).toEqual(['w-all']);
  });

  it('wakes nobody by a notice, nor an author by its own words, nor anybody in a muted thread', async () => {
    const notice = await append(core, { ...said('down'), author: null, sourceKind: 'notice' });
    expect(notice.woken).toEqual([]);
    const own = await append(core, { ...said('mine'), author: 'w-all', sourceKind: 'ai', hops: 1 });
    expect(own.woken).toEqual([]);
    await core.database.query('update thread set muted_at = now() where organisation = $1 and id = $2', [
      organisation,
      own.thread,
    ]);
    expect((await append(core, { ...said('anyone?'), thread: own.thread })).woken).toEqual([]);
  });

  it('stops at the hop limit, and says so once for each originating event', async () => {
    const origin = await append(core, said('talk among yourselves'));
    const ai = {
      ...said('and so on'),
      thread: origin.thread,
      author: 'w-mentioned' as const,
      sourceKind: 'ai' as const,
      origin: origin.event,
    };
    expect((await append(core, { ...ai, hops: 8 })).woken).toEqual(['w-all']);
    expect((await append(core, { ...ai, hops: 9 })).woken).toEqual([]);
    expect((await append(core, { ...ai, hops: 10 })).woken).toEqual([]);
    const notices = await core.database.query(
      `select 1 from event where organisation = $1 and thread = $2 and source_kind = 'notice'`,
      [organisation, origin.thread],
    );
    expect(notices).toHaveLength(1);
  });

  it('refuses an unknown stream, an unknown thread, and the transcript of a worker', async () => {
    await expect(append(core, { ...said('x'), stream: 's-nowhere' })).rejects.toThrow(/unknown stream "s-nowhere"/);
    await expect(append(core, { ...said('x'), thread: 't-nowhere' })).rejects.toThrow(/unknown thread "t-nowhere"/);
    await expect(append(core, { ...said('x'), stream: 's-activation-w-all' })).rejects.toThrow(
      /can be read, not written/,
    );
  });

  it('keeps what a person may paste: NUL bytes, quotes, other scripts', async () => {
    const odd = await append(core, said('a\u0000b \'"; drop table event; -- 世界 🙂'));
    const [row] = await core.database.query<{ body: string }>(
      'select body from event where organisation = $1 and id = $2',
      [organisation, odd.event],
    );
    expect(row?.body).toBe('ab \'"; drop table event; -- 世界 🙂');
  });
});

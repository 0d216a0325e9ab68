import { afterEach, describe, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import { startDispatcher } from '../dispatch/dispatcher.ts';
import { OutsideUnavailable, PermanentFailure } from '../dispatch/failure.ts';
import type { LaneKey } from '../dispatch/lane.ts';
import { listDead, retryDead } from '../dispatch/retry-dead.ts';
import { coreForTests, eventually, furnish } from '../dispatch/testing/core-for-tests.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { testDatabase } from '../store/testing/test-database.ts';
import { append } from '../streams/append.ts';
import type { Delivered, Door, OutgoingDelivery } from './door.ts';
import { startOutbox } from './outbox.ts';

const organisation = 'acme';
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What a platform shows: messages by id, in the order in which they were first sent, each with all its texts. */
function platform(options: { drafts?: boolean; before?: (delivery: OutgoingDelivery) => void | Promise<void> } = {}) {
  const messages = new Map<string, string[]>();
  const door: Door = {
    kind: 'mail',
    drafts: options.drafts ?? false,
    async deliver(delivery): Promise<Delivered> {
      await options.before?.(delivery);
      const id = delivery.externalId ?? `m${messages.size + 1}`;
      messages.set(id, [...(messages.get(id) ?? []), delivery.text]);
      return { externalId: id };
    },
  };
  return { door, messages };
}

async function house(door: Door, runtime?: Runtime): Promise<Core> {
  const database = await testDatabase();
  cleanups.push(() => database.close());
  const { core, close } = await coreForTests({ url: database.url, doors: [door], ...(runtime ? { runtime } : {}) });
  cleanups.push(close);
  await furnish(core, organisation, [
    { id: 'w-ada', kind: 'human' },
    { id: 'w-echo', kind: 'ai' },
  ]);
  const outbox = startOutbox(core);
  cleanups.push(() => outbox.stop(0));
  if (runtime) {
    const tools = { open: () => Promise.reject(new Error('none')), isIdempotent: () => false };
    const dispatcher = startDispatcher(core, { slots: 4, tools, outbox });
    cleanups.push(() => dispatcher.stop(0));
  }
  return core;
}

async function mail(core: Core, id: string) {
  return await append(core, {
    organisation,
    stream: 's-mail',
    author: 'w-ada',
    sourceKind: 'human',
    addressed: ['w-echo'],
    cameBy: 'b-mail',
    receipts: [id],
    threadPlace: { binding: 'b-mail', externalId: id },
    message: { body: `mail ${id}` },
  });
}

async function reply(core: Core, thread: `t-${string}`, body: string) {
  return await append(core, {
    organisation,
    stream: 's-mail',
    thread,
    author: null,
    sourceKind: 'notice',
    message: { body },
  });
}

async function stateOf(core: Core, id: string): Promise<string | undefined> {
  const [row] = await core.database.query<{ state: string }>(
    'select state from delivery where organisation = $1 and id = $2',
    [organisation, id],
  );
  return row?.state;
}

describe('the outbox', () => {
  it('delivers the events of a thread in order, once each, and recognises the echo', async () => {
    const { door, messages } = platform();
    const core = await house(door);
    const { thread } = await mail(core, '<1>');
    const sent = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((body) => reply(core, thread, body)));
    await eventually(async () => messages.size === 5);
    const byPosition = [...sent].sort((x, y) => x.position - y.position);
    const bodies = await core.database.query<{ body: string }>(
      `select body from event where organisation = $1 and source_kind = 'notice' order by position`,
      [organisation],
    );
    expect([...messages.values()]).toEqual(bodies.map(({ body }) => [body]));
    await eventually(async () => (await stateOf(core, byPosition.at(-1)?.deliveries[0]?.id ?? '')) === 'delivered');
    const echo = await append(core, {
      organisation,
      stream: 's-mail',
      author: 'w-ada',
      sourceKind: 'human',
      cameBy: 'b-mail',
      receipts: ['m1'],
      message: { body: 'echo' },
    });
    expect(echo).toMatchObject({ duplicate: true, event: byPosition[0]?.event });
  });

  it('sends a reply from the moment it is committed: nobody is told that there is something to claim', async () => {
    const { door, messages } = platform();
    const core = await house(door, { name: 'echo', run: async () => ({ text: 'An answer.' }) });
    const announced: LaneKey[] = [];
    const { announceLanes } = core.waking;
    core.waking.announceLanes = (lanes) => {
      announced.push(...lanes);
      announceLanes(lanes);
    };
    await mail(core, '<1>');
    await eventually(async () => messages.size === 1);
    const [delivery] = await eventually(async () => {
      const rows = await core.database.query<{ state: string; lost: number }>(
        `select state, lost_leases as lost from delivery where state = 'delivered'`,
      );
      return rows.length > 0 && rows;
    });
    expect(delivery).toEqual({ state: 'delivered', lost: 0 });
    expect(announced.filter(({ kind }) => kind === 'delivery')).toEqual([]);
    const lanes = await core.database.query(`select fence, lease_until, ready_at from lane where kind = 'delivery'`);
    expect(lanes).toEqual([{ fence: 1, lease_until: null, ready_at: null }]);
  });

  it('tells the door who speaks, where it is not the one whom people expect there', async () => {
    const speakers: (string | null)[] = [];
    const { door } = platform({ before: ({ caption }) => void speakers.push(caption.speaker) });
    const core = await house(door, { name: 'echo', run: async () => ({ text: 'An answer.' }) });
    await mail(core, '<1>');
    await eventually(async () => speakers.length === 1);
    await core.database.query(`update stream set default_worker = 'w-echo' where id = 's-mail'`);
    await mail(core, '<2>');
    await eventually(async () => speakers.length === 2);
    expect(speakers).toEqual(['echo', null]);
  });

  it('waits while the platform is away, without a failed attempt, and keeps the order', async () => {
    let away = 3;
    const { door, messages } = platform({
      before: () => {
        if (away-- > 0) throw new OutsideUnavailable('connection refused', { retryAfterSeconds: 0.05 });
      },
    });
    const core = await house(door);
    const { thread } = await mail(core, '<1>');
    await reply(core, thread, 'first');
    const last = await reply(core, thread, 'second');
    await eventually(async () => (await stateOf(core, last.deliveries[0]?.id ?? '')) === 'delivered');
    expect([...messages.values()]).toEqual([['first'], ['second']]);
    const [row] = await core.database.query<{ failures: number }>('select max(failures) as failures from delivery');
    expect(row?.failures).toBe(0);
  });

  it('gives up what can never arrive, passes it over, lists it, and sends it when a person asks', async () => {
    let refuse = true;
    const { door, messages } = platform({
      before: ({ text }) => {
        if (refuse && text === 'bad') throw new PermanentFailure('550 no such mailbox');
      },
    });
    const core = await house(door);
    const { thread } = await mail(core, '<1>');
    const bad = await reply(core, thread, 'bad');
    await reply(core, thread, 'good');
    await eventually(async () => [...messages.values()].flat().includes('good'));
    const { items } = await listDead(core, organisation, { kind: 'delivery' });
    expect(items).toMatchObject([{ id: bad.deliveries[0]?.id, thread, reason: '550 no such mailbox' }]);
    const notices = await core.database.query<{ body: string }>(
      `select body from event where organisation = $1 and body like 'A message could not be delivered%'`,
      [organisation],
    );
    expect(notices).toHaveLength(1);
    refuse = false;
    await retryDead(core, organisation, bad.deliveries[0]?.id ?? '');
    await eventually(async () => [...messages.values()].flat().includes('bad'));
  });

  it('shows a reply while it grows by editing one message, and the finished reply is that message', async () => {
    const { door, messages } = platform({ drafts: true });
    const runtime: Runtime = {
      name: 'slow',
      async run(run) {
        for (const text of ['One', 'One, two', 'One, two, three']) {
          run.write(text);
          await eventually(async () => [...messages.values()].flat().includes(text));
        }
        return { text: 'One, two, three.' };
      },
    };
    const core = await house(door, runtime);
    await mail(core, '<1>');
    await eventually(async () => [...messages.values()].flat().includes('One, two, three.'), 15_000);
    expect(messages.size).toBe(1);
    expect(messages.get('m1')).toEqual(['One', 'One, two', 'One, two, three', 'One, two, three.']);
    const look = () =>
      core.database.query('select state, external_id as "externalId" from delivery where organisation = $1', [
        organisation,
      ]);
    // The platform has the text a moment before its answer is committed.
    await eventually(async () => (await look()).every((delivery) => delivery.state !== 'sending'));
    expect(await look()).toEqual([{ state: 'delivered', externalId: 'm1' }]);
  });

  it('counts a delivery that was in flight when its process was lost, and sends it again', async () => {
    const { door, messages } = platform();
    const core = await house(door);
    const { thread } = await mail(core, '<1>');
    const sent = await reply(core, thread, 'once');
    const id = sent.deliveries[0]?.id ?? '';
    await eventually(async () => (await stateOf(core, id)) === 'delivered');
    await eventually(async () => {
      const held = await core.database.query(`select 1 from lane where kind = 'delivery' and lease_until is not null`);
      return held.length === 0;
    });
    // As a kill between the platform's accept and our commit leaves it.
    await core.database.query(
      `with d as (update delivery set state = 'sending', external_id = null where id = $1)
       update lane set ready_at = now() where kind = 'delivery'`,
      [id],
    );
    core.waking.announce();
    await eventually(async () => messages.size === 2);
    await eventually(async () => (await stateOf(core, id)) === 'delivered');
    const [row] = await core.database.query<{ lostLeases: number }>(
      'select lost_leases as "lostLeases" from delivery where id = $1',
      [id],
    );
    expect(row?.lostLeases).toBe(1);
  });
});

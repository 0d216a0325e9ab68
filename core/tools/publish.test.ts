import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Delivered, Door, OutgoingDelivery } from '../delivery/door.ts';
import { startOutbox } from '../delivery/outbox.ts';
import { OutsideUnavailable, PermanentFailure } from '../dispatch/failure.ts';
import { at, type McpHouse, openMcpHouse } from '../mcp/testing/mcp-house.ts';
import { grantTools } from '../organisation/grants.ts';
import { findOrMakeGuest } from '../organisation/identities.ts';
import type { ThreadId, WorkerId } from '../store/ids.ts';
import { append } from '../streams/append.ts';
import { callDuringActivation } from './testing/during-activation.ts';

let house: McpHouse;
let outbox: ReturnType<typeof startOutbox>;
let deliver: (delivery: OutgoingDelivery) => Promise<Delivered>;
const sent: OutgoingDelivery[] = [];
const door: Door = { kind: 'mail', drafts: false, deliver: (delivery) => deliver(delivery) };

beforeAll(async () => {
  house = await openMcpHouse({ doors: [door] });
  outbox = startOutbox(house.core);
  deliver = async (delivery) => {
    sent.push(delivery);
    return { externalId: `<${delivery.id}@sink.example>` };
  };
  await house.core.database.query(
    `insert into subscription (organisation, worker, stream) values ('default', 'w-owner', 's-mail')`,
  );
});
afterAll(async () => {
  await outbox.stop(0);
  await house[Symbol.asyncDispose]();
});

const events = async (stream: string) =>
  await house.core.database.query(
    `select author, body, hops, source_kind as kind, activation from event where stream = $1 order by position`,
    [stream],
  );

describe('in a channel', () => {
  it('it is an event with nothing to deliver, and wakes who listens', async () => {
    const { value } = await house.call('publish', { stream: 's-general', body: 'Hello all' });
    expect(value).toMatchObject({ woken: ['w-assistant'], deliveries: [] });
    const again = await house.call('publish', { stream: 'general', body: 'and more', thread: value.thread });
    expect(again.value.thread).toBe(value.thread);
    expect(await events('s-general')).toMatchObject([
      { author: 'w-owner', body: 'Hello all', hops: 0, kind: 'human' },
      { body: 'and more' },
    ]);
  });

  it('who is named in `to` is asked, if it listens there', async () => {
    const { value } = await house.call('publish', { stream: 's-general', body: 'You there', to: 'Assistant' });
    expect(value.woken).toEqual(['w-assistant']);
    await house.call('hire_worker', { name: 'Deaf', kind: 'ai', position: 'p-assistant', identity: '', grants: [] });
    const deaf = await house.call('publish', { stream: 's-general', body: 'You there', to: ['Deaf'] });
    expect(deaf).toMatchObject({ isError: true, text: expect.stringContaining('w-deaf does not listen') });
  });

  it('an agent answers in the chain that woke it', async () => {
    await callDuringActivation(house.core, { behalf: ['w-owner'], hops: 3 }, 'publish', {
      stream: 's-general',
      body: 'done',
    });
    expect((await events('s-general')).at(-1)).toEqual({
      author: 'w-assistant',
      body: 'done',
      hops: 3,
      kind: 'ai',
      activation: 'a-test',
    });
  });

  it('an agent does not publish where its answer goes by itself', async () => {
    const { thread } = await append(house.core, {
      organisation: 'default',
      stream: 's-general',
      author: 'w-owner',
      sourceKind: 'human',
      message: { body: 'Well?' },
      silent: true,
    });
    const say = callDuringActivation(house.core, { behalf: ['w-owner'], thread }, 'publish', {
      stream: 's-general',
      thread,
      body: 'Well!',
    });
    await expect(say).rejects.toThrow('posted there by itself');
    const dm = (await house.call('dm', { worker: 'assistant', body: 'psst' })).value.thread as ThreadId;
    const answer = callDuringActivation(house.core, { behalf: ['w-owner'], thread: dm }, 'dm', {
      worker: 'Owner',
      body: 'x',
    });
    await expect(answer).rejects.toThrow('posted there by itself');
  });

  it('nobody publishes where they do not listen, or to a transcript, or to what is not there', async () => {
    await house.call('create_stream', { name: 'Board' });
    await grantTools(house.core.database, 'default', 'w-deaf', ['publish']);
    const as = { worker: 'w-deaf' as const };
    for (const [stream, reason] of [
      ['s-board', 'you are not subscribed'],
      ['s-mail', 'you are not subscribed'],
      ['s-none', 'unknown stream'],
    ])
      expect((await house.call('publish', { stream, body: 'x' }, as)).text).toContain(reason);
    const transcript = await house.call('publish', { stream: 's-activation-w-assistant', body: 'x' });
    expect(transcript.text).toContain('can be read, not written');
    expect(await events('s-board')).toEqual([]);
  });
});

describe('by mail', () => {
  const mail = { stream: 's-mail', body: 'Dear Ada', subject: 'A\r\nBcc: x@y.example', to: 'Ada <ada@example.com>' };

  it('a new mail goes out, and the answer says that it did', async () => {
    const { value } = await house.call('publish', mail);
    expect(value.deliveries).toEqual([
      {
        id: expect.stringMatching(/^d-/),
        to: 'mail',
        state: 'delivered',
        externalId: expect.stringContaining('@sink.example'),
        reason: null,
      },
    ]);
    expect(sent.at(-1)?.event).toMatchObject({
      to: ['ada@example.com'],
      subject: 'A Bcc: x@y.example',
      body: 'Dear Ada',
    });
  });

  it('what waits is queued and what failed has failed, and says why', async () => {
    const before = deliver;
    deliver = async () => {
      throw new OutsideUnavailable('the mail server is away');
    };
    const waiting = await house.call('publish', mail);
    expect(at(waiting.value, 'deliveries.0')).toMatchObject({ state: 'queued', reason: 'the mail server is away' });
    deliver = async () => {
      throw new PermanentFailure('no such mailbox');
    };
    const failed = await house.call('publish', mail);
    expect(at(failed.value, 'deliveries.0')).toMatchObject({ state: 'failed', reason: 'no such mailbox' });
    deliver = before;
  });

  it('a new mail needs addresses', async () => {
    expect((await house.call('publish', { stream: 's-mail', body: 'x' })).text).toContain('needs the addresses');
    expect((await house.call('publish', { ...mail, to: ['w-assistant'] })).text).toContain('is not a mail address');
  });

  it('a stranger cannot have the agent write to third parties', async () => {
    const guest = await findOrMakeGuest(house.core.database, 'default', {
      platform: 'mail',
      externalId: 'g@x.example',
      name: 'G',
    });
    const count = async () => (await events('s-mail')).length;
    const before = await count();
    const call = (behalf: (WorkerId | null)[]) => callDuringActivation(house.core, { behalf }, 'publish', mail);
    await expect(call([guest])).rejects.toThrow('without holding publish');
    await expect(call([guest, 'w-owner'])).rejects.toThrow('without holding publish');
    await expect(call([null])).rejects.toThrow('no person');
    expect(await count()).toBe(before);
    expect(await call(['w-owner'])).toMatchObject({ deliveries: [{ state: 'delivered' }] });
  });

  it('in a thread that exists, only who takes part writes, and only to whom it is with', async () => {
    const guest = await findOrMakeGuest(house.core.database, 'default', {
      platform: 'mail',
      externalId: 'g@x.example',
      name: 'G',
    });
    const { thread } = await append(house.core, {
      organisation: 'default',
      stream: 's-mail',
      threadPlace: { binding: 'b-mail', externalId: '<first@x.example>' },
      cameBy: 'b-mail',
      author: guest,
      sourceKind: 'human',
      message: { from: 'g@x.example', to: ['assistant@localhost'], body: 'Where is my parcel?' },
      addressed: ['w-assistant'],
    });
    expect((await house.call('publish', { stream: 's-mail', thread, body: 'x' })).text).toContain('you take no part');
    const call = (to: string[]) =>
      callDuringActivation(house.core, { behalf: [guest] }, 'publish', {
        stream: 's-mail',
        thread,
        body: 'On its way',
        to,
      });
    await expect(call(['third@party.example'])).rejects.toThrow('third@party.example took no part');
    expect(await call(['G@x.example'])).toMatchObject({ deliveries: [{ state: 'delivered' }] });
    expect(sent.find((delivery) => delivery.thread === thread)?.event?.to).toEqual([]);
  });
});

describe('dm', () => {
  it('is one call, one thread for both directions, and wakes an AI', async () => {
    const forth = (await house.call('dm', { worker: 'assistant', body: 'psst' })).value;
    expect(forth).toMatchObject({ stream: 's-dm-w-assistant-w-owner', woken: ['w-assistant'] });
    const back = (await house.call('dm', { worker: 'w-owner', body: 'yes?' }, { worker: 'w-assistant' })).value;
    expect(back).toMatchObject({ stream: forth.stream, thread: forth.thread, woken: [] });
    const seen = await house.call('read_events', { thread: forth.thread });
    expect((seen.value.events as { body: string }[]).slice(-2).map(({ body }) => body)).toEqual(['psst', 'yes?']);
  });

  it('is refused to oneself, to nobody, and to a guest', async () => {
    const guest = await findOrMakeGuest(house.core.database, 'default', {
      platform: 'mail',
      externalId: 'g@x.example',
      name: 'G',
    });
    for (const [worker, reason] of [
      ['w-owner', 'to yourself'],
      ['w-nobody', 'unknown worker "w-nobody"'],
      [guest, 'is a guest'],
    ])
      expect(await house.call('dm', { worker, body: 'x' })).toMatchObject({
        isError: true,
        text: expect.stringContaining(reason ?? ''),
      });
    expect(
      await house.core.database.query(`select 1 from stream where id like 's-dm-%guest%' or id like '%nobody%'`),
    ).toEqual([]);
  });
});

import { afterEach, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import { startDispatcher } from '../dispatch/dispatcher.ts';
import { OutsideUnavailable } from '../dispatch/failure.ts';
import { coreForTests, eventually, furnish } from '../dispatch/testing/core-for-tests.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { testDatabase } from '../store/testing/test-database.ts';
import { append } from '../streams/append.ts';
import type { Door, OutgoingDelivery } from './door.ts';
import { startOutbox } from './outbox.ts';

const organisation = 'acme';
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A house whose door fails as often as it is told, and what it was told of each attempt. */
async function house(failures: number, runtime?: Runtime) {
  const test = await testDatabase();
  cleanups.push(() => test.close());
  const attempts: { text: string; repeated: boolean; createdAt: Date; draft: boolean }[] = [];
  const door: Door = {
    kind: 'mail',
    drafts: runtime !== undefined,
    async deliver({ text, repeated, createdAt, event }: OutgoingDelivery) {
      attempts.push({ text, repeated, createdAt, draft: event === null });
      if (attempts.length <= failures) throw new OutsideUnavailable('cut off', { retryAfterSeconds: 0.05 });
      return { externalId: 'm1' };
    },
  };
  const { core, close } = await coreForTests({ url: test.url, doors: [door], ...(runtime ? { runtime } : {}) });
  cleanups.push(close);
  await furnish(core, organisation, [
    { id: 'w-ada', kind: 'human' },
    { id: 'w-echo', kind: 'ai' },
  ]);
  const outbox = startOutbox(core);
  cleanups.push(() => outbox.stop(0));
  if (runtime) {
    const tools = { open: () => Promise.reject(new Error('none')), isIdempotent: () => false };
    const dispatcher = startDispatcher(core, { slots: 4, tools });
    cleanups.push(() => dispatcher.stop(0));
  }
  return { core, attempts };
}

async function ask(core: Core) {
  return await append(core, {
    organisation,
    stream: 's-mail',
    author: 'w-ada',
    sourceKind: 'human',
    addressed: ['w-echo'],
    cameBy: 'b-mail',
    threadPlace: { binding: 'b-mail', externalId: 'here' },
    message: { body: 'hello' },
  });
}

async function say(core: Core, thread: `t-${string}`) {
  const message = { body: 'an answer' };
  return await append(core, { organisation, stream: 's-mail', thread, author: null, sourceKind: 'notice', message });
}

async function allDelivered(core: Core): Promise<boolean> {
  const rows = await core.database.query(`select state from delivery`);
  return rows.length > 0 && rows.every((row) => row.state === 'delivered');
}

it('a first attempt is not repeated; one after a failure may have been sent', async () => {
  const { core, attempts } = await house(1);
  await say(core, (await ask(core)).thread);
  await eventually(() => allDelivered(core));
  expect(attempts.map(({ repeated }) => repeated)).toEqual([false, true]);
  expect(attempts[1]?.createdAt).toEqual(attempts[0]?.createdAt);
  expect(Date.now() - Number(attempts[0]?.createdAt)).toBeLessThan(20_000);
});

it('what is taken over from a holder that was lost may have been sent, whatever its state says', async () => {
  const { core, attempts } = await house(0);
  const { thread } = await ask(core);
  await core.database.query(
    `insert into lane (organisation, kind, owner, thread, lease_until, fence) values ($1, 'delivery', 'b-mail', $2, now() - interval '1 s', 4)`,
    [organisation, thread],
  );
  await say(core, thread);
  await eventually(() => allDelivered(core));
  expect(attempts.map(({ repeated }) => repeated)).toEqual([true]);
  await eventually(
    async () =>
      (await core.database.query(`select 1 from lane where kind = 'delivery' and holder is not null`)).length === 0,
  );
  await say(core, thread);
  await eventually(async () => attempts.length === 2);
  expect(attempts[1]?.repeated).toBe(false);
});

it('a reply whose draft failed to be shown may have been sent', async () => {
  const runtime: Runtime = {
    name: 'slow',
    async run(run) {
      run.write('One');
      await eventually(async () => attempts.length === 1);
      return { text: 'One, two.' };
    },
  };
  const { core, attempts } = await house(1, runtime);
  await ask(core);
  await eventually(() => allDelivered(core));
  expect(attempts.map(({ draft, repeated }) => [draft, repeated])).toEqual([
    [true, false],
    [false, true],
  ]);
});

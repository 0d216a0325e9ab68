import { afterEach, describe, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import type { Runtime, RuntimeRun } from '../runtimes/runtime.ts';
import type { ThreadId } from '../store/ids.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { append } from '../streams/append.ts';
import { cancelThread } from './cancel.ts';
import { startDispatcher } from './dispatcher.ts';
import { OutsideUnavailable } from './failure.ts';
import { claimLanes, lockHeldLane } from './lane.ts';
import type { LaneLoop } from './lane-loop.ts';
import { listDead, retryDead } from './retry-dead.ts';
import { coreForTests, eventually, furnish } from './testing/core-for-tests.ts';

const organisation = 'acme';
const noTools = {
  open: () => Promise.reject(new Error('no tools here')),
  isIdempotent: () => false,
};

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function house(): Promise<TestDatabase> {
  const database = await testDatabase();
  cleanups.push(() => database.close());
  return database;
}

/** A core and its dispatcher on `url`: what a process is. */
async function process(url: string, runtime: Runtime, slots = 8): Promise<{ core: Core; dispatcher: LaneLoop }> {
  const { core, close } = await coreForTests({ url, runtime });
  const dispatcher = startDispatcher(core, { slots, tools: noTools });
  cleanups.push(async () => {
    await dispatcher.stop(0);
    await close();
  });
  return { core, dispatcher };
}

const runtimeThat = (run: (run: RuntimeRun) => Promise<string>): Runtime => ({
  name: 'test',
  run: async (given) => ({ text: await run(given) }),
});

const lastBody = (run: RuntimeRun) => run.briefing.batch.at(-1)?.body ?? '';

async function say(core: Core, body: string, thread?: ThreadId) {
  return await append(core, {
    organisation,
    stream: 's-general',
    author: 'w-ada',
    sourceKind: 'human',
    message: { body },
    ...(thread ? { thread } : {}),
  });
}

async function bodiesOf(core: Core, thread: string): Promise<string[]> {
  const rows = await core.database.query<{ body: string }>(
    'select body from event where organisation = $1 and thread = $2 order by position',
    [organisation, thread],
  );
  return rows.map((row) => row.body);
}

async function waitForBodies(core: Core, thread: string, count: number, ms?: number): Promise<string[]> {
  return await eventually(async () => {
    const bodies = await bodiesOf(core, thread);
    return bodies.length >= count && bodies;
  }, ms);
}

const people = [
  { id: 'w-ada', kind: 'human' },
  { id: 'w-echo', kind: 'ai', mode: 'all' },
] as const;

describe('the dispatcher', () => {
  it('wakes a worker, and its final text is the reply in the thread that woke it', async () => {
    const { url } = await house();
    const { core } = await process(
      url,
      runtimeThat(async (run) => `echo: ${lastBody(run)}`),
    );
    await furnish(core, organisation, people);
    const { thread } = await say(core, 'hello');
    expect(await waitForBodies(core, thread, 2)).toEqual(['hello', 'echo: hello']);
  });

  it('posts nothing for NO_REPLY', async () => {
    const { url } = await house();
    const { core } = await process(
      url,
      runtimeThat(async () => ' NO_REPLY '),
    );
    await furnish(core, organisation, people);
    const { thread } = await say(core, 'hello');
    await eventually(async () => {
      const [row] = await core.database.query(`select 1 from activation where organisation = $1 and state = 'done'`, [
        organisation,
      ]);
      return row;
    });
    expect(await bodiesOf(core, thread)).toEqual(['hello']);
  });

  it('hands over together what came while the worker was busy, in order and capped at 20', async () => {
    const { url } = await house();
    const batches: string[][] = [];
    let free: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => {
      free = resolve;
    });
    const { core } = await process(
      url,
      runtimeThat(async (run) => {
        batches.push(run.briefing.batch.map((event) => event.body));
        if (batches.length === 1) await busy;
        return 'NO_REPLY';
      }),
    );
    await furnish(core, organisation, people);
    const { thread } = await say(core, 'first');
    await eventually(async () => batches.length === 1);
    for (let i = 1; i <= 25; i++) await say(core, `more ${i}`, thread);
    free();
    await eventually(async () => batches.length === 3);
    expect(batches[1]).toEqual(Array.from({ length: 20 }, (_, i) => `more ${i + 1}`));
    expect(batches[2]).toEqual(['more 21', 'more 22', 'more 23', 'more 24', 'more 25']);
  });

  it('caps a batch at 32 KiB, and cuts a single longer message', async () => {
    const { url } = await house();
    const batches: { body: string; cut: boolean }[][] = [];
    const runtime = runtimeThat(async (run) => {
      batches.push(run.briefing.batch.map((event) => ({ body: event.body, cut: event.cut })));
      return 'NO_REPLY';
    });
    const { core, close } = await coreForTests({ url });
    cleanups.push(close);
    await furnish(core, organisation, people);
    const { thread } = await say(core, 'x'.repeat(20_000));
    await say(core, 'y'.repeat(20_000), thread);
    await say(core, 'ü'.repeat(30_000), thread);
    await process(url, runtime);
    await eventually(async () => batches.length === 3);
    expect(batches.map((batch) => batch.length)).toEqual([1, 1, 1]);
    expect(batches[2]?.[0]?.cut).toBe(true);
    expect(batches[2]?.[0]?.body).toBe('ü'.repeat(16_384));
  });

  it('runs one activation at a time in a thread, and no more threads than the worker may', async () => {
    const { url } = await house();
    let now = 0;
    let most = 0;
    const perThread = new Map<string, number>();
    let overlap = false;
    const { core } = await process(
      url,
      runtimeThat(async (run) => {
        const thread = run.briefing.thread.id;
        perThread.set(thread, (perThread.get(thread) ?? 0) + 1);
        if ((perThread.get(thread) ?? 0) > 1) overlap = true;
        now++;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 20));
        now--;
        perThread.set(thread, (perThread.get(thread) ?? 0) - 1);
        return 'ok';
      }),
    );
    await furnish(core, organisation, [people[0], { id: 'w-echo', kind: 'ai', mode: 'all', concurrency: 2 }]);
    const threads: ThreadId[] = [];
    for (let i = 0; i < 6; i++) threads.push((await say(core, `start ${i}`)).thread);
    for (const thread of threads) await say(core, 'again', thread);
    await eventually(async () => {
      const [row] = await core.database.query<{ n: number }>(
        `select count(*) as n from trigger where organisation = $1 and state <> 'done'`,
        [organisation],
      );
      return row?.n === 0;
    });
    expect(overlap).toBe(false);
    expect(most).toBe(2);
  });

  it('lets two processes share the work, and answers everything once', async () => {
    const { url } = await house();
    const did = { a: 0, b: 0 };
    const counting = (name: 'a' | 'b') =>
      runtimeThat(async () => {
        did[name]++;
        await new Promise((resolve) => setTimeout(resolve, 10));
        return 'done';
      });
    const { core } = await process(url, counting('a'), 2);
    await furnish(core, organisation, [people[0], { id: 'w-echo', kind: 'ai', mode: 'all', concurrency: 8 }]);
    await process(url, counting('b'), 2);
    await Promise.all(Array.from({ length: 60 }, (_, i) => say(core, `job ${i}`)));
    await eventually(async () => {
      const [row] = await core.database.query<{ n: number }>(
        `select count(*) as n from event where organisation = $1 and body = 'done'`,
        [organisation],
      );
      return row?.n === 60;
    }, 20_000);
    expect(did.a + did.b).toBe(60);
    expect(did.a).toBeGreaterThan(0);
    expect(did.b).toBeGreaterThan(0);
  });

  it('resumes from the stored steps after a crash, and what was paused past its lease commits nothing', async () => {
    const { url } = await house();
    const { core: crashed, close } = await coreForTests({ url });
    cleanups.push(close);
    await furnish(crashed, organisation, people);
    const { thread } = await say(crashed, 'long work');
    // A process takes the lane and stores a step; then nothing is heard of it.
    const [lane] = await claimLanes(crashed.database, 'activation', 'crashed', 1);
    if (!lane) throw new Error('no lane was claimed');
    const { takeBatch } = await import('./take-batch.ts');
    const { addStep } = await import('./steps.ts');
    const { finishActivation } = await import('./finish-activation.ts');
    const batch = await takeBatch(crashed.database, lane);
    if (!batch) throw new Error('nothing was taken');
    const { taken } = batch;
    expect(await addStep(crashed.database, lane, taken.id, { kind: 'text', content: { text: 'half of it' } })).toBe(
      true,
    );
    await crashed.database.query(
      `update lane set lease_until = now() - interval '1 s', ready_at = now() - interval '1 s' where kind = 'activation'`,
    );

    const resumed: unknown[] = [];
    const { core } = await process(
      url,
      runtimeThat(async (run) => {
        resumed.push(...run.steps);
        return 'all of it';
      }),
    );
    expect(await waitForBodies(core, thread, 2)).toEqual(['long work', 'all of it']);
    expect(resumed).toEqual([{ kind: 'text', text: 'half of it' }]);

    expect(await addStep(crashed.database, lane, taken.id, { kind: 'text', content: { text: 'too late' } })).toBe(
      false,
    );
    await expect(finishActivation(crashed, lane, taken, { kind: 'replied', text: 'too late' })).rejects.toThrow(
      /lease/,
    );
    expect(await bodiesOf(core, thread)).toEqual(['long work', 'all of it']);
    const [activation] = await core.database.query<{ lostLeases: number; failures: number }>(
      `select lost_leases as "lostLeases", failures from activation where organisation = $1`,
      [organisation],
    );
    expect(activation).toEqual({ lostLeases: 1, failures: 0 });
  });

  it('does not let a lease that has run out be prolonged', async () => {
    const { url } = await house();
    const { core, close } = await coreForTests({ url });
    cleanups.push(close);
    await furnish(core, organisation, people);
    await say(core, 'hello');
    const [lane] = await claimLanes(core.database, 'activation', 'paused', 1);
    if (!lane) throw new Error('no lane was claimed');
    const { extendLease } = await import('./lane.ts');
    expect(await extendLease(core.database, lane)).toBe(true);
    await core.database.query(
      `update lane set lease_until = now() - interval '1 s', ready_at = now() - interval '1 s'`,
    );
    expect(await extendLease(core.database, lane)).toBe(false);
    expect(await core.database.transaction((tx) => lockHeldLane(tx, lane))).toBe(false);
  });

  it('stops what runs in a thread when a person says so, and keeps what was visible', async () => {
    const { url } = await house();
    let begun = false;
    const runtime = runtimeThat(async (run) => {
      run.write('as far as I');
      begun = true;
      await new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason)));
      return 'never';
    });
    const { core: other, close } = await coreForTests({ url });
    cleanups.push(close);
    await furnish(other, organisation, people);
    const { core } = await process(url, runtime);
    const { thread } = await say(core, 'go on and on');
    await eventually(async () => begun);
    // Said to another process than the one that runs it.
    expect(await cancelThread(other, organisation, thread)).toEqual({ activations: 1, triggers: 0 });
    expect(await waitForBodies(core, thread, 2)).toEqual(['go on and on', 'as far as I\n\n_(stopped)_']);
    const [row] = await core.database.query<{ state: string }>('select state from activation where organisation = $1', [
      organisation,
    ]);
    expect(row?.state).toBe('cancelled');
  });

  it('waits for a model that is away without counting it as a failure', async () => {
    const { url } = await house();
    let tries = 0;
    const { core } = await process(
      url,
      runtimeThat(async () => {
        tries++;
        if (tries < 3) throw new OutsideUnavailable('the model asks to wait', { retryAfterSeconds: 0.05 });
        return 'at last';
      }),
    );
    await furnish(core, organisation, people);
    const { thread } = await say(core, 'hello');
    expect(await waitForBodies(core, thread, 2)).toEqual(['hello', 'at last']);
    const [row] = await core.database.query<{ failures: number }>(
      'select failures from activation where organisation = $1',
      [organisation],
    );
    expect(row?.failures).toBe(0);
  });

  it('says in the thread that it gave up, lists it, and tries again when asked', async () => {
    const { url } = await house();
    let broken = true;
    const { core } = await process(
      url,
      runtimeThat(async () => {
        if (broken) throw new (await import('./failure.ts')).PermanentFailure('the model does not exist');
        return 'now it works';
      }),
    );
    await furnish(core, organisation, people);
    const { thread } = await say(core, 'hello');
    const [, notice] = await waitForBodies(core, thread, 2);
    expect(notice).toMatch(/I could not answer: the model does not exist/);
    const dead = await listDead(core, organisation);
    expect(dead.items).toMatchObject([{ kind: 'activation', thread, reason: 'the model does not exist' }]);
    broken = false;
    const [item] = dead.items;
    if (!item) throw new Error('nothing dead is listed');
    await retryDead(core, organisation, item.id);
    expect(await waitForBodies(core, thread, 3)).toHaveLength(3);
    expect((await listDead(core, organisation)).items).toEqual([]);
  });

  it('lets two workers that always answer stop at the hop limit, with one notice', async () => {
    const { url } = await house();
    const { core } = await process(
      url,
      runtimeThat(async (run) => `${run.briefing.worker.name} answers`),
    );
    await furnish(core, organisation, [
      { id: 'w-ada', kind: 'human' },
      { id: 'w-ping', kind: 'ai', mode: 'all' },
      { id: 'w-pong', kind: 'ai', mode: 'all' },
    ]);
    const { thread } = await say(core, 'discuss');
    await eventually(
      async () => (await bodiesOf(core, thread)).some((body) => body.includes('stopped them here')),
      20_000,
    );
    await eventually(async () => {
      const [row] = await core.database.query<{ n: number }>(
        `select (select count(*) from trigger where state <> 'done') + (select count(*) from lane where ready_at is not null) as n`,
      );
      return row?.n === 0;
    });
    const bodies = await bodiesOf(core, thread);
    expect(bodies.filter((body) => body.includes('stopped them here'))).toHaveLength(1);
    const [hops] = await core.database.query<{ most: number }>(
      'select max(hops) as most from event where organisation = $1',
      [organisation],
    );
    expect(hops?.most).toBe(9);
  });

  it('gives its work back when it is stopped, and another process goes on', async () => {
    const { url } = await house();
    const { core, dispatcher } = await process(
      url,
      runtimeThat(
        (run) => new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason))),
      ),
    );
    await furnish(core, organisation, people);
    const { thread } = await say(core, 'hello');
    await eventually(async () => dispatcher.running() === 1);
    await dispatcher.stop(50);
    const { core: successor } = await process(
      url,
      runtimeThat(async () => 'from the successor'),
    );
    expect(await waitForBodies(successor, thread, 2)).toEqual(['hello', 'from the successor']);
    const [row] = await core.database.query<{ lostLeases: number }>(
      'select lost_leases as "lostLeases" from activation where organisation = $1',
      [organisation],
    );
    expect(row?.lostLeases).toBe(0);
  });
});

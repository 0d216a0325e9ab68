import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../core/dispatch/testing/core-for-tests.ts';
import { defaultOrganisation, seedOrganisation } from '../../../core/organisation/seed.ts';
import { newId, type ThreadId } from '../../../core/store/ids.ts';
import { append } from '../../../core/streams/append.ts';
import {
  type Agent,
  type HouseCore,
  lastBody,
  openTerminalHouse,
  type TerminalHouse,
  untilStopped,
} from '../testing/terminal-house.ts';
import { type Watcher, watch } from '../testing/watcher.ts';
import type { Frame } from '../wire.ts';
import { watchThread } from './watch-thread.ts';

const cleanups: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(agent?: Agent): Promise<{ house: TerminalHouse; core: HouseCore }> {
  const house = await openTerminalHouse();
  cleanups.push(() => house[Symbol.asyncDispose]());
  return { house, core: await house.add(agent) };
}

async function watched(core: HouseCore, token: string, thread: string, since?: number): Promise<Watcher> {
  const watcher = await watch(core, token, thread, since);
  cleanups.push(() => watcher[Symbol.asyncDispose]());
  return watcher;
}

async function say(core: HouseCore, body: string, thread?: string) {
  const answer = await core.post('/terminal/messages', { id: newId('e'), body, ...(thread ? { thread } : {}) });
  return answer.body as { thread: ThreadId; position: number; event: string };
}

/** An agent that writes what it is told to, when it is told to. */
function puppet() {
  const gates = new Map<string, () => void>();
  const steps: { write?: string; end?: string }[] = [];
  const agent: Agent = async (run) => {
    for (;;) {
      const step = steps.shift();
      if (step?.write !== undefined) run.write(step.write);
      if (step?.end !== undefined) return step.end;
      if (!step)
        await new Promise<void>((resolve, reject) => {
          gates.set('next', resolve);
          run.signal.addEventListener('abort', () => reject(run.signal.reason));
        });
    }
  };
  const tell = (step: { write?: string; end?: string }) => {
    steps.push(step);
    gates.get('next')?.();
  };
  return { agent, writes: (text: string) => tell({ write: text }), ends: (text: string) => tell({ end: text }) };
}

describe('watching a thread', () => {
  it('tells what was said, what is said now, and who works', async () => {
    const { agent, ends } = puppet();
    const { house, core } = await open(agent);
    const { thread } = await say(core, 'hello');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.working()?.[0]?.state === 'running');
    expect(watcher.working()).toEqual([
      {
        worker: { id: 'w-assistant', name: 'Assistant' },
        activation: expect.stringMatching(/^a-/),
        state: 'running',
        reason: null,
      },
    ]);
    ends('good day');
    await eventually(async () => watcher.working()?.length === 0);
    expect(watcher.events()).toMatchObject([
      { author: { name: 'Owner' }, sourceKind: 'human', body: 'hello', activation: null },
      { author: { name: 'Assistant' }, sourceKind: 'ai', body: 'good day', activation: expect.stringMatching(/^a-/) },
    ]);
    expect(watcher.frames.at(-1)).toEqual({ kind: 'work', upTo: 2, working: [], dead: [] });
  });

  it('never says that nobody works before the reply has been told', async () => {
    const { house, core } = await open(async (run) => `re: ${lastBody(run)}`);
    const { thread } = await say(core, 'first');
    const watcher = await watched(core, house.ticket(), thread);
    for (let i = 0; i < 10; i++) {
      const { position } = await say(core, `message ${i}`, thread);
      const idle = await eventually(
        async () =>
          watcher.frames.findIndex(
            (each) => each.kind === 'work' && each.upTo >= position && each.working.length === 0,
          ) + 1,
      );
      const toldByThen = watcher.frames.slice(0, idle).flatMap((each) => (each.kind === 'event' ? each.body : []));
      expect(toldByThen.at(-1)).toBe(`re: message ${i}`);
    }
  });

  it('shows a reply as it grows, and sends the new tail alone', async () => {
    const { agent, writes, ends } = puppet();
    const { house, core } = await open(agent);
    const { thread } = await say(core, 'hello');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.working()?.[0]?.state === 'running');
    writes('Once upon');
    await eventually(async () => watcher.drafts().at(-1) === 'Once upon');
    writes('Once upon a time');
    await eventually(async () => watcher.drafts().at(-1) === 'Once upon a time');
    writes('Once more');
    await eventually(async () => watcher.drafts().at(-1) === 'Once more');
    const patches = watcher.frames.flatMap((each) => (each.kind === 'draft' ? [{ at: each.at, text: each.text }] : []));
    expect(patches).toEqual([
      { at: 0, text: 'Once upon' },
      { at: 9, text: ' a time' },
      { at: 5, text: 'more' },
    ]);
    ends('Once more.');
    await eventually(async () => watcher.bodies().at(-1) === 'Once more.');
    const reply = watcher.frames.findIndex((each) => each.kind === 'event' && each.body === 'Once more.');
    expect(watcher.frames.slice(reply).some((each) => each.kind === 'draft')).toBe(false);
  });

  it('shows a reply that another core writes, and who comes later sees it whole', async () => {
    const { agent, writes, ends } = puppet();
    const { house, core } = await open(agent);
    const other = await house.add();
    const { thread } = await say(other, 'hello');
    const watcher = await watched(other, house.ticket(), thread);
    await eventually(async () => watcher.working()?.[0]?.state === 'running');
    writes('from the');
    await eventually(async () => watcher.drafts().at(-1) === 'from the');
    writes('from the other core');
    await eventually(async () => watcher.drafts().at(-1) === 'from the other core');
    for (const each of [core, other]) {
      const late = await watched(each, house.ticket(), thread);
      await eventually(async () => late.drafts().length > 0);
      expect(late.drafts()).toEqual(['from the other core']);
    }
    ends('from the other core, whole');
    await eventually(async () => watcher.working()?.length === 0);
    expect(watcher.bodies()).toEqual(['hello', 'from the other core, whole']);
  });

  it('does not show what may still become NO_REPLY, and tells that nobody works any more', async () => {
    const { agent, writes, ends } = puppet();
    const { house, core } = await open(agent);
    const { thread } = await say(core, 'hello');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.working()?.[0]?.state === 'running');
    writes('NO_RE');
    writes('NO_REPLY');
    ends('NO_REPLY');
    await eventually(async () => watcher.working()?.length === 0);
    expect(watcher.drafts()).toEqual([]);
    expect(watcher.bodies()).toEqual(['hello']);
  });

  it('goes on after the last position seen, with nothing lost and nothing twice', async () => {
    const { house, core } = await open();
    const { thread, position } = await say(core, 'seen');
    for (let i = 1; i <= 250; i++)
      await append(core.core, {
        organisation: defaultOrganisation,
        stream: 's-general',
        thread,
        author: null,
        sourceKind: 'system',
        message: { body: `missed ${i}` },
        silent: true,
      });
    const watcher = await watched(core, house.ticket(), thread, position);
    await eventually(async () => watcher.bodies().length >= 250);
    expect(watcher.bodies()).toEqual(Array.from({ length: 250 }, (_, i) => `missed ${i + 1}`));
  });

  it('names the messages that were given up, once nobody works', async () => {
    const { PermanentFailure } = await import('../../../core/dispatch/failure.ts');
    const { house, core } = await open(async () => {
      throw new PermanentFailure('the model does not exist');
    });
    const { thread, event } = await say(core, 'hello');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.frames.some((each) => each.kind === 'work' && each.dead.length > 0));
    expect(watcher.frames.at(-1)).toMatchObject({ working: [], dead: [event] });
    expect(watcher.bodies().at(-1)).toMatch(/the model does not exist/);
  });

  it('says why somebody waits for the next attempt', async () => {
    const { OutsideUnavailable } = await import('../../../core/dispatch/failure.ts');
    const { house, core } = await open(async () => {
      throw new OutsideUnavailable('the model asks to wait', { retryAfterSeconds: 60 });
    });
    const { thread } = await say(core, 'hello');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.working()?.[0]?.state === 'waiting');
    expect(watcher.working()?.[0]?.reason).toBe('the model asks to wait');
  });

  it('tells a client which events it has sent itself', async () => {
    const { house, core } = await open();
    const sent = await core.post('/terminal/messages', { id: 'my-own-name', body: 'mine' });
    const { thread } = sent.body as { thread: string };
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.events().length > 0);
    expect(watcher.events()[0]?.sentAs).toBe('my-own-name');
  });

  it('is refused where this person may not read: 404', async () => {
    const { house, core } = await open();
    const { thread } = await append(core.core, {
      organisation: defaultOrganisation,
      stream: 's-mail',
      author: null,
      sourceKind: 'human',
      message: { body: "a stranger's mail" },
    });
    await expect(watch(core, house.ticket(), thread)).rejects.toThrow(/404 .*unknown thread/);
    await expect(watch(core, house.ticket(), 't-unknown')).rejects.toThrow(/404 .*unknown thread/);
  });

  it('ends when this person may not read any more', async () => {
    const { house, core } = await open();
    const { thread } = await say(core, 'hello');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.bodies().length === 1);
    await core.core.database.query(`delete from subscription where worker = 'w-owner' and stream = 's-general'`);
    await append(core.core, {
      organisation: defaultOrganisation,
      stream: 's-general',
      thread,
      author: null,
      sourceKind: 'system',
      message: { body: 'a secret' },
    });
    await eventually(async () => watcher.ended());
    expect(watcher.bodies()).toEqual(['hello']);
  });

  it('ends when the core is being stopped, and the thread can be watched at another one', async () => {
    const { house, core } = await open();
    const other = await house.add();
    const { thread, position } = await say(core, 'hello');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.bodies().length === 1);
    await core.goAway();
    await eventually(async () => watcher.ended());
    const next = await watched(other, house.ticket(), thread, position);
    await say(other, 'still there?', thread);
    await eventually(async () => next.bodies().length === 1);
    expect(next.bodies()).toEqual(['still there?']);
  });

  it('shows nothing of another organisation that uses the same ids', async () => {
    const { agent, writes } = puppet();
    const { house, core } = await open(agent);
    await core.core.database.query(`insert into subscription (organisation, worker, stream, mode)
      values ('default', 'w-owner', 's-mail', 'all') on conflict do nothing`);
    await core.core.database.transaction((tx) => seedOrganisation(tx, 'other', { mailAlias: 'other-assistant' }));
    const { thread } = await say(core, 'ours');
    await core.core.database.query(`insert into thread (organisation, id, stream) values ('other', $1, 's-general')`, [
      thread,
    ]);
    await append(core.core, {
      organisation: 'other',
      stream: 's-general',
      thread,
      author: 'w-owner',
      sourceKind: 'human',
      message: { body: 'theirs' },
      silent: true,
    });
    const theirs = await watched(core, await house.token('w-owner', 'other'), thread);
    const ours = await watched(core, house.ticket(), thread);
    await eventually(async () => ours.working()?.[0]?.state === 'running');
    writes('a growing secret');
    await eventually(async () => ours.drafts().at(-1) === 'a growing secret');
    // past the next look of the other one
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(theirs.bodies()).toEqual(['theirs']);
    expect(theirs.drafts()).toEqual([]);
    expect(theirs.working()).toEqual([]);
  });

  it('sends a reader that has fallen behind nothing, and then the latest alone', async () => {
    const { agent, writes } = puppet();
    const { core } = await open(agent);
    const { thread } = await say(core, 'hello');
    const frames: Frame[] = [];
    let behind = false;
    const caller = { organisation: defaultOrganisation, worker: 'w-owner', name: 'Owner' } as const;
    const sink = { send: (frame: Frame) => void frames.push(frame), isBehind: () => behind, end: () => undefined };
    const watching = watchThread(core.core, caller, thread, 0, sink);
    cleanups.push(async () => watching.stop());
    await eventually(async () => frames.some((each) => each.kind === 'work' && each.working[0]?.state === 'running'));
    behind = true;
    const before = frames.length;
    for (const text of ['a', 'ab', 'abc']) {
      writes(text);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    expect(frames.length).toBe(before);
    behind = false;
    watching.look();
    await eventually(async () => frames.length > before);
    expect(frames.slice(before)).toMatchObject([{ kind: 'draft', at: 0, text: 'abc' }]);
  });

  it('goes on when the database was away', async () => {
    const { house, core } = await open();
    const { thread } = await say(core, 'before');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.bodies().length === 1);
    await core.core.database
      .query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      )
      .catch(() => undefined);
    await eventually(async () => (await say(core, 'after', thread).catch(() => undefined))?.position);
    await eventually(async () => watcher.bodies().includes('after'));
    expect(watcher.ended()).toBe(false);
  });

  it('stops agents that only end when they are told to', async () => {
    const { house, core } = await open(untilStopped);
    const { thread } = await say(core, 'work');
    const watcher = await watched(core, house.ticket(), thread);
    await eventually(async () => watcher.working()?.[0]?.state === 'running');
    await say(core, 'stop', thread);
    await eventually(async () => watcher.working()?.length === 0);
    expect(watcher.bodies()).toEqual(['work', 'stop', 'Stopped.']);
  });
});

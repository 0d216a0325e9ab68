import { get } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../core/dispatch/testing/core-for-tests.ts';
import { defaultOrganisation } from '../../../core/organisation/seed.ts';
import type { ThreadId } from '../../../core/store/ids.ts';
import { append } from '../../../core/streams/append.ts';
import { type Agent, type HouseCore, openTerminalHouse, type TerminalHouse } from '../testing/terminal-house.ts';

const cleanups: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(agent?: Agent): Promise<{ house: TerminalHouse; core: HouseCore }> {
  const house = await openTerminalHouse();
  cleanups.push(() => house[Symbol.asyncDispose]());
  return { house, core: await house.add(agent) };
}

/** A person beside the owner, who listens nowhere. */
async function addPerson(core: HouseCore): Promise<void> {
  await core.core.database.query(
    `insert into worker (organisation, id, name, kind) values ($1, 'w-ada', 'Ada', 'human')`,
    [defaultOrganisation],
  );
}

async function eventsIn(core: HouseCore): Promise<string[]> {
  const rows = await core.core.database.query<{ body: string }>('select body from event order by stream, position');
  return rows.map((row) => row.body);
}

let clientIds = 0;
const message = (body: string, more: object = {}) => ({
  id: `test-${String(++clientIds).padStart(6, '0')}`,
  body,
  ...more,
});

describe('who may come in', () => {
  it('is the owner by a ticket made from the key, and a person by their bearer token', async () => {
    const { house, core } = await open();
    for (const token of [house.ticket(), await house.token()])
      expect((await core.post('/terminal/messages', message('hello'), token)).status).toBe(200);
  });

  it('is nobody without a token or with a wrong one: 401', async () => {
    const { core } = await open();
    for (const token of ['', 'nonsense']) {
      const { status, body } = await core.post('/terminal/messages', message('hello'), token);
      expect([status, body.code]).toEqual([401, 'unauthenticated']);
    }
    expect(await eventsIn(core)).toEqual([]);
  });

  it('is no AI worker: 403', async () => {
    const { house, core } = await open();
    const { status, body } = await core.post('/terminal/messages', message('hello'), await house.token('w-assistant'));
    expect([status, body.code]).toEqual([403, 'forbidden']);
  });

  it('is no longer the owner once dismissed', async () => {
    const { house, core } = await open();
    const ticket = house.ticket();
    await core.core.database.query(`update worker set dismissed_at = now() where id = 'w-owner'`);
    expect((await core.post('/terminal/messages', message('hello'), ticket)).status).toBe(401);
  });

  it('is no page of another site that has bent a name to this machine', async () => {
    const { house, core } = await open();
    const statusFor = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { host, authorization: `Bearer ${house.ticket()}` };
        get(`${core.url}/terminal/completions`, { headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
      });
    expect(await statusFor('evil.example')).toBe(403);
    expect(await statusFor('switchboard.example')).toBe(200);
    expect(await statusFor('localhost:8080')).toBe(200);
  });
});

describe('POST /terminal/messages', () => {
  it('begins a thread in s-general, and says where the message is and whom it has woken', async () => {
    const { core } = await open();
    const { status, body } = await core.post('/terminal/messages', message('hello'));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      stream: 's-general',
      position: 1,
      upTo: 1,
      duplicate: false,
      answered: false,
      unheard: null,
      woken: [{ id: 'w-assistant', name: 'Assistant' }],
    });
    const next = await core.post('/terminal/messages', message('more', { thread: body.thread }));
    expect(next.body).toMatchObject({ thread: body.thread, position: 2 });
  });

  it('makes one event of a message that comes again because its answer was lost, and gives the same answer', async () => {
    const { core } = await open();
    const sent = message('only once');
    const first = await core.post('/terminal/messages', sent);
    const again = await core.post('/terminal/messages', sent);
    expect(again).toEqual({ status: 200, body: { ...first.body, duplicate: true } });
    expect(await eventsIn(core)).toEqual(['only once']);
  });

  it('makes one event of the same message sent twice at once', async () => {
    const { core } = await open();
    const sent = message('at once');
    const answers = await Promise.all([1, 2, 3].map(() => core.post('/terminal/messages', sent)));
    expect(new Set(answers.map((answer) => answer.body.event)).size).toBe(1);
    expect(await eventsIn(core)).toEqual(['at once']);
  });

  it('lets another person use the same id for a message of their own', async () => {
    const { house, core } = await open();
    await addPerson(core);
    await core.core.database.query(
      `insert into subscription (organisation, worker, stream, mode) values ($1, 'w-ada', 's-general', 'all')`,
      [defaultOrganisation],
    );
    const sent = message('mine');
    const first = await core.post('/terminal/messages', sent);
    const second = await core.post('/terminal/messages', { ...sent, body: 'hers' }, await house.token('w-ada'));
    expect(second.body.duplicate).toBe(false);
    expect(second.body.event).not.toBe(first.body.event);
  });

  it('answers a command itself, and says up to where its answer is', async () => {
    const { core } = await open();
    const { body } = await core.post('/terminal/messages', message('/help'));
    expect(body).toMatchObject({ answered: true, woken: [], unheard: null, position: 1, upTo: 2 });
    const [, help] = await eventsIn(core);
    expect(help).toMatch(/`stop`/);
  });

  it.each([
    ['muted', ['mute'], 'anybody?'],
    ['aside', [], '(aside) not for you'],
  ])('says why nobody was woken: %s', async (unheard, before, body) => {
    const { core } = await open();
    let thread: unknown;
    for (const each of ['hello', ...before]) {
      const said = await core.post('/terminal/messages', message(each, thread ? { thread } : {}));
      thread = said.body.thread;
    }
    expect((await core.post('/terminal/messages', message(body, { thread }))).body).toMatchObject({
      unheard,
      woken: [],
    });
  });

  it('says that nobody listens in a stream without an agent', async () => {
    const { core } = await open();
    await core.core.database.query(`update stream set default_worker = null where id = 's-general'`);
    expect((await core.post('/terminal/messages', message('hello'))).body).toMatchObject({ unheard: 'nobody' });
  });

  it.each([
    ['no JSON', '{', /JSON/],
    ['no id', { body: 'hello' }, /^id: /],
    ['an empty body', { id: 'test-empty', body: ' \n' }, /^body: it is empty/],
    ['a body that is too long', { id: 'test-long', body: 'x'.repeat(200_001) }, /^body: it has more than 200000/],
    ['a thread that is no id', { id: 'test-thread', body: 'x', thread: 'nonsense' }, /^thread: /],
    ['something unknown', { id: 'test-other', body: 'x', to: 'w-ada' }, /to/],
  ])('refuses %s: 400, naming it', async (_what, sent, detail) => {
    const { core } = await open();
    const { status, body } = await core.post('/terminal/messages', sent);
    expect([status, body.code]).toEqual([400, 'invalid_input']);
    expect(body.detail).toMatch(detail);
  });

  it('takes the longest message, whatever it is made of', async () => {
    const { core } = await open();
    const longest = '"\n'.repeat(100_000);
    expect((await core.post('/terminal/messages', message(`x${longest.slice(1)}`))).status).toBe(200);
  });

  it('hides what this person may not read or write to', async () => {
    const { house, core } = await open();
    await addPerson(core);
    const { body: owners } = await core.post('/terminal/messages', message('for us'));
    const ada = await house.token('w-ada');
    const intoThread = await core.post('/terminal/messages', message('let me in', { thread: owners.thread }), ada);
    expect([intoThread.status, intoThread.body.code]).toEqual([404, 'not_found']);
    const intoStream = await core.post('/terminal/messages', message('let me in'), ada);
    expect([intoStream.status, intoStream.body.code]).toEqual([403, 'forbidden']);
    expect(await eventsIn(core)).toEqual(['for us']);
  });

  it('begins no mail and no transcript', async () => {
    const { core } = await open();
    await core.core.database.query(
      `insert into subscription (organisation, worker, stream, mode) values ($1, 'w-owner', 's-mail', 'all')`,
      [defaultOrganisation],
    );
    for (const stream of ['s-mail', 's-activation-w-assistant'])
      expect((await core.post('/terminal/messages', message('hello', { stream }))).status).toBe(400);
  });

  it('goes on in a thread of mail that this person takes part in', async () => {
    const { core } = await open();
    const { thread } = await append(core.core, {
      organisation: defaultOrganisation,
      stream: 's-mail',
      author: null,
      sourceKind: 'human',
      message: { body: 'by mail' },
      participants: ['w-owner'],
    });
    const { status, body } = await core.post('/terminal/messages', message('by terminal', { thread }));
    expect([status, body.stream]).toEqual([200, 's-mail']);
  });
});

describe('POST /terminal/threads/{thread}/stop', () => {
  it('stops what runs in the thread, as the command does', async () => {
    let stopped = false;
    const { core } = await open(
      (run) =>
        new Promise((_, reject) =>
          run.signal.addEventListener('abort', () => {
            stopped = true;
            reject(run.signal.reason);
          }),
        ),
    );
    const { body } = await core.post('/terminal/messages', message('work'));
    const thread = body.thread as ThreadId;
    await eventually(async () => {
      const [row] = await core.core.database.query(`select 1 from activation where state = 'running'`);
      return row;
    });
    const answer = await core.post(`/terminal/threads/${thread}/stop`, { id: 'test-stop-it' });
    expect(answer.body).toMatchObject({ thread, answered: true });
    await eventually(async () => stopped);
    expect(await eventsIn(core)).toEqual(['work', 'stop', 'Stopped.']);
  });
});

describe('GET /terminal/completions', () => {
  async function completionsFor(core: HouseCore, token: string) {
    const response = await fetch(`${core.url}/terminal/completions`, { headers: { authorization: `Bearer ${token}` } });
    return (await response.json()) as { me: object; commands: { name: string }[]; workers: object[] };
  }

  it('gives the commands of the thread, the prompts that this person may use, and the agents', async () => {
    const { house, core } = await open();
    const { me, commands, workers } = await completionsFor(core, house.ticket());
    expect(me).toEqual({ id: 'w-owner', name: 'Owner' });
    expect(commands.map(({ name }) => name)).toEqual(expect.arrayContaining(['help', 'who', 'stop', 'mute', 'hire']));
    expect(workers).toEqual([{ id: 'w-assistant', name: 'Assistant' }]);
  });

  it('leaves out the prompts whose tool was not granted', async () => {
    const { house, core } = await open();
    await addPerson(core);
    const { commands } = await completionsFor(core, await house.token('w-ada'));
    expect(commands.map(({ name }) => name)).not.toContain('hire');
  });
});

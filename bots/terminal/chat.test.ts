import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import { defaultOrganisation } from '../../core/organisation/seed.ts';
import { findFreePort } from '../../core/store/embedded/free-port.ts';
import { append } from '../../core/streams/append.ts';
import { type ChatOptions, type PipedProgram, startPiped } from './testing/chat-program.ts';
import { startLossyProxy } from './testing/lossy-proxy.ts';
import {
  type Agent,
  type HouseCore,
  lastBody,
  openTerminalHouse,
  type TerminalHouse,
  untilStopped,
} from './testing/terminal-house.ts';

const cleanups: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(agent?: Agent): Promise<{ house: TerminalHouse; core: HouseCore }> {
  const house = await openTerminalHouse();
  cleanups.push(() => house[Symbol.asyncDispose]());
  return { house, core: await house.add(agent) };
}

function start(options: ChatOptions): PipedProgram {
  const chat = startPiped(options);
  cleanups.push(() => chat[Symbol.asyncDispose]());
  return chat;
}

/** Runs the chat on a whole input. */
async function chat(input: string, options: ChatOptions) {
  const program = start(options);
  program.write(input);
  program.end();
  const code = await program.exited;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

async function bodies(core: HouseCore): Promise<string[]> {
  const rows = await core.core.database.query<{ body: string }>(
    `select body from event where stream = 's-general' order by position`,
  );
  return rows.map((row) => row.body);
}

const echo: Agent = async (run) => `echo: ${lastBody(run)}`;

describe('the chat through pipes', () => {
  it('prints the replies and nothing else, and ends with its input', async () => {
    const { core } = await open(echo);
    expect(await chat('hello\n', core)).toEqual({ code: 0, stdout: 'echo: hello\n', stderr: '' });
  });

  it('sends each line when the one before is answered, in one thread; the last may lack its line end', async () => {
    const { core } = await open(echo);
    const { stdout } = await chat('one\n\n  \r\ntwo\nthree', core);
    expect(stdout).toBe('echo: one\necho: two\necho: three\n');
    expect(await bodies(core)).toEqual(['one', 'echo: one', 'two', 'echo: two', 'three', 'echo: three']);
    expect(await core.core.database.query('select id from thread')).toHaveLength(1);
  });

  it('begins a new thread at new', async () => {
    const { core } = await open(echo);
    expect((await chat('one\nnew\ntwo\n', core)).stdout).toBe('echo: one\necho: two\n');
    expect(await core.core.database.query('select id from thread')).toHaveLength(2);
  });

  it('prints what a command answers', async () => {
    const { core } = await open();
    const { stdout, stderr, code } = await chat('mute\nunmute\n', core);
    expect(stdout).toBe('Muted: I read along and say nothing until you say `unmute`.\nI answer here again.\n');
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('goes on when an agent decides to say nothing', async () => {
    const { core } = await open(async (run) => (lastBody(run) === 'shh' ? 'NO_REPLY' : 'here I am'));
    expect(await chat('shh\nhello?\n', core)).toEqual({ code: 0, stdout: 'here I am\n', stderr: '' });
  });

  it('says aside that nobody listens', async () => {
    const { core } = await open(echo);
    const { stdout, stderr, code } = await chat('mute\nanybody?\n(aside) never mind\n', core);
    expect(stdout).not.toContain('echo');
    expect(stderr).toBe('nobody was woken: this thread is muted until somebody says unmute\n');
    expect(code).toBe(0);
  });

  it('waits for everybody whom the message has set to work, agents that answer agents too', async () => {
    const { core } = await open(async (run) => {
      if (run.briefing.worker.id === 'w-assistant') return 'I ask Scout';
      return run.briefing.batch.at(-1)?.sourceKind === 'ai' ? 'Scout answers' : 'NO_REPLY';
    });
    await core.core.database.query(
      `insert into worker (organisation, id, name, kind) values ('default', 'w-scout', 'Scout', 'ai')`,
    );
    await core.core.database.query(
      `insert into stream (organisation, id, name, kind) values ('default', 's-activation-w-scout', 'x', 'activation')`,
    );
    await core.core.database.query(
      `insert into subscription (organisation, worker, stream, mode) values ('default', 'w-scout', 's-general', 'all')`,
    );
    await core.core.database.query(
      `insert into participant (organisation, thread, worker) select organisation, id, 'w-assistant' from thread`,
    );
    const { stdout } = await chat('Assistant, find out\n', core);
    expect(stdout).toBe('I ask Scout\nScout answers\n');
  });

  it('ends with code 1 when a message could not be answered, and says why aside', async () => {
    const { core } = await open(async (run) => {
      if (lastBody(run) === 'bad') throw new PermanentFailure('the model does not exist');
      return 'fine';
    });
    const { code, stdout, stderr } = await chat('bad\ngood\n', core);
    expect([code, stdout]).toEqual([1, 'fine\n']);
    expect(stderr).toMatch(/^I could not answer: the model does not exist\..*\n$/);
  });

  it('says aside why an agent waits, once, and goes on waiting', async () => {
    const said = /Assistant waits and tries again: the model asks to wait\n/g;
    let program: PipedProgram | undefined;
    let waits = 0;
    let sinceSaid = 0;
    const { core } = await open(async () => {
      if (program?.stderr().match(said)) sinceSaid++;
      if (sinceSaid === 2) return 'at last';
      waits++;
      throw new OutsideUnavailable('the model asks to wait', { retryAfterSeconds: 0.2 });
    });
    program = start(core);
    program.write('hello\n');
    program.end();
    expect([await program.exited, program.stdout()]).toEqual([0, 'at last\n']);
    expect(program.stderr().match(said)?.length).toBeLessThanOrEqual(waits);
    expect(program.stderr().replaceAll(said, '')).toBe('');
  });

  it('lets no escape sequence of an agent through', async () => {
    const { core } = await open(async () => 'safe\u001b]0;owned\u0007\u001b[2J');
    expect((await chat('hello\n', core)).stdout).toBe('safe␛]0;owned␇␛[2J\n');
  });

  it('refuses a message that is too long without losing the others', async () => {
    const { core } = await open(async (run) => `echo: ${lastBody(run).slice(0, 9)}`);
    const { code, stdout, stderr } = await chat(`${'x'.repeat(200_001)}\nshort\n`, core);
    expect([code, stdout]).toEqual([1, 'echo: short\n']);
    expect(stderr).toMatch(/^not sent: body: it has more than 200000 characters/);
  });

  it('goes on in a thread that exists, and prints only what is replied now', async () => {
    const { core } = await open(echo);
    const before = await core.post('/terminal/messages', { id: 'before-all', body: 'earlier' });
    await eventually(async () => (await bodies(core)).length === 2);
    const { thread } = before.body as { thread: string };
    const { stdout } = await chat('later\n', { port: core.port, args: ['--thread', thread] });
    expect(stdout).toBe('echo: later\n');
    expect(await core.core.database.query('select id from thread')).toHaveLength(1);
  });

  it('talks as somebody else with their token, to the URL given', async () => {
    const { house, core } = await open(async (run) => `hello ${run.briefing.batch[0]?.authorName}`);
    await core.core.database.query(
      `insert into worker (organisation, id, name, kind) values ($1, 'w-ada', 'Ada', 'human')`,
      [defaultOrganisation],
    );
    await core.core.database.query(
      `insert into subscription (organisation, worker, stream, mode) values ($1, 'w-ada', 's-general', 'all')`,
      [defaultOrganisation],
    );
    const env = {
      PORT: undefined,
      SECRET_KEY: undefined,
      SWITCHBOARD_URL: `${core.url}/`,
      SWITCHBOARD_TOKEN: await house.token('w-ada'),
    };
    expect(await chat('hi\n', { port: 0, env })).toEqual({ code: 0, stdout: 'hello Ada\n', stderr: '' });
  });

  it('works through whichever core answers, while the agent runs in another one', async () => {
    const { house } = await open(echo);
    const door = await house.add();
    expect(await chat('hello\nagain\n', door)).toEqual({ code: 0, stdout: 'echo: hello\necho: again\n', stderr: '' });
  });

  it('loses and repeats nothing when the core goes away and comes back', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { core } = await open(async (run) => {
      begin();
      if (lastBody(run) === 'first') await released;
      return `echo: ${lastBody(run)}`;
    });
    const program = start(core);
    program.write('first\nsecond\n');
    program.end();
    await begun;
    await core.goAway();
    release();
    await eventually(async () => (await bodies(core)).length === 2);
    await eventually(async () => program.stderr() !== '');
    await core.comeBack();
    expect(await program.exited).toBe(0);
    expect(program.stdout()).toBe('echo: first\necho: second\n');
    expect(program.stderr()).toMatch(/^the connection to \S+ was lost: trying again\n$/);
    expect(await bodies(core)).toEqual(['first', 'echo: first', 'second', 'echo: second']);
  });

  it('says and hears everything once where answers are lost and streams broken off', async () => {
    const { core } = await open(echo);
    const tries = new Map<string, number>();
    const proxy = await startLossyProxy(core.port, (method, path) => {
      if (path === '/healthz' || path === '/terminal/completions') return false;
      const tried = (tries.get(method) ?? 0) + 1;
      tries.set(method, tried);
      return tried % 2 === 1;
    });
    cleanups.push(() => proxy[Symbol.asyncDispose]());
    const { code, stdout } = await chat('one\ntwo\nthree\n', { port: proxy.port });
    expect([code, stdout]).toEqual([0, 'echo: one\necho: two\necho: three\n']);
    expect(await bodies(core)).toEqual(['one', 'echo: one', 'two', 'echo: two', 'three', 'echo: three']);
    expect(proxy.lost()).toBeGreaterThanOrEqual(4);
  });

  it('stops the agent too when it is interrupted', async () => {
    const { core } = await open(untilStopped);
    const program = start(core);
    program.write('work\n');
    await eventually(async () => {
      const [row] = await core.core.database.query(`select 1 from activation where state = 'running'`);
      return row;
    });
    program.signal('SIGINT');
    expect(await program.exited).toBe(130);
    await eventually(async () => {
      const [row] = await core.core.database.query(`select 1 from activation where state = 'cancelled'`);
      return row;
    });
  });

  it('tells nobody else what it is not asked: other threads of the stream', async () => {
    const { core } = await open(async (run) => {
      if (lastBody(run) === 'mine')
        await append(core.core, {
          organisation: defaultOrganisation,
          stream: 's-general',
          author: null,
          sourceKind: 'system',
          message: { body: 'elsewhere' },
        });
      return 'done';
    });
    expect((await chat('mine\n', core)).stdout).toBe('done\n');
  });

  it('ends quietly when whoever reads its replies has gone', async () => {
    const { core } = await open(echo);
    const program = start(core);
    program.write('one\n');
    await eventually(async () => program.stdout() !== '');
    program.closeStdout();
    program.write('two\n');
    expect(await program.exited).toBe(0);
    expect(program.stderr()).toBe('');
  });
});

describe('the chat, when it cannot begin', () => {
  it('says that no core answers, and how to start one', async () => {
    const port = await findFreePort();
    expect(await chat('hello\n', { port })).toEqual({
      code: 1,
      stdout: '',
      stderr: `switchboard: no core answers at http://localhost:${port}: start it with "npm start"\n`,
    });
  });

  it('makes no key where no core has ever run', async () => {
    const { core } = await open();
    const { code, stderr } = await chat('hello\n', {
      port: core.port,
      env: { SECRET_KEY: undefined, DATA_DIR: './nothing-here' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^switchboard: there is no key in \S+nothing-here: run this with the core's DATA_DIR/);
  });

  it('says that the core has another key', async () => {
    const { core } = await open();
    const env = { SECRET_KEY: 'a secret key of quite another house' };
    const { code, stderr } = await chat('hello\n', { port: core.port, env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^switchboard: the core at \S+ runs with another SECRET_KEY or DATA_DIR: .*\n$/);
  });

  it.each([
    ['a malformed setting', { env: { PORT: 'eighty' } }, /^switchboard: PORT is "eighty" \(from the environment\)/],
    ['an unknown option', { args: ['--tread', 'x'] }, /^switchboard: Unknown option '--tread'/],
    ['a malformed URL', { env: { SWITCHBOARD_URL: 'localhost' } }, /^switchboard: SWITCHBOARD_URL is "localhost"/],
  ])('names %s', async (_what, options, stderr) => {
    const { code, ...said } = await chat('', { port: 1, ...options });
    expect([code, said.stdout]).toEqual([1, '']);
    expect(said.stderr).toMatch(stderr);
    expect(said.stderr).not.toMatch(/\n\s+at /);
  });

  it('goes to no other address than the one it was given, and shows its token to no other', async () => {
    const asked: string[] = [];
    const elsewhere = createServer((request, response) => {
      asked.push(request.headers.authorization ?? '');
      response.end('{}');
    });
    const redirecting = createServer((_request, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` }).end();
    });
    for (const server of [elsewhere, redirecting]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    }
    const { port } = redirecting.address() as AddressInfo;
    const { code, stderr } = await chat('hello\n', { port });
    expect(code).toBe(1);
    expect(stderr).toMatch(/redirects to \S+, which is not followed\n$/);
    expect(asked).toEqual([]);
  });

  it('says that something else answers there', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end('<h1>Not here</h1>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await chat('hello\n', { port });
    expect([code, stderr]).toEqual([
      1,
      `switchboard: what answers at http://localhost:${port} is not a Switchboard core\n`,
    ]);
  });

  it('reports a thread that this person may not read', async () => {
    const { core } = await open();
    const { code, stderr } = await chat('hello\n', { port: core.port, args: ['--thread', 't-unknown'] });
    expect([code, stderr]).toEqual([1, 'not sent: unknown thread "t-unknown"\n']);
  });

  it('says how it is used', async () => {
    const { code, stdout } = await chat('', { port: 1, args: ['--help'] });
    expect(code).toBe(0);
    expect(stdout).toContain('npm run chat -- --thread <id>');
  });
});

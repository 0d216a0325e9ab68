import { afterEach, describe, expect, it } from 'vitest';
import { OutsideUnavailable } from '../../core/dispatch/failure.ts';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import type { RuntimeRun } from '../../core/runtimes/runtime.ts';
import { type ChatOptions, type ScreenProgram, startOnScreen } from './testing/chat-program.ts';
import {
  type Agent,
  type HouseCore,
  lastBody,
  openTerminalHouse,
  type TerminalHouse,
} from './testing/terminal-house.ts';

const cleanups: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const enter = '\r';
const tab = '\t';
const ctrlC = '\u0003';
const ctrlD = '\u0004';
const up = '\u001b[A';

async function open(
  agent: Agent,
  options: Partial<ChatOptions> & { columns?: number; rows?: number } = {},
): Promise<{ house: TerminalHouse; core: HouseCore; chat: ScreenProgram }> {
  const house = await openTerminalHouse();
  cleanups.push(() => house[Symbol.asyncDispose]());
  const core = await house.add(agent);
  return { house, core, chat: await startChat(core, options) };
}

async function startChat(core: HouseCore, options: Partial<ChatOptions> & { columns?: number; rows?: number } = {}) {
  const chat = startOnScreen({ port: core.port, ...options });
  cleanups.push(() => chat[Symbol.asyncDispose]());
  await chat.until('you>');
  return chat;
}

/** An agent whose hand a test leads: `writes` shows a text so far, `ends` gives the reply. */
function puppet() {
  const { promise: begun, resolve: begin } = Promise.withResolvers<RuntimeRun>();
  const { promise: ended, resolve: ends } = Promise.withResolvers<string>();
  const agent: Agent = async (run) => {
    begin(run);
    return await Promise.race([
      ended,
      new Promise<never>((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason))),
    ]);
  };
  return { agent, ends, writes: async (text: string) => (await begun).write(text) };
}

const echo: Agent = async (run) => `echo: ${lastBody(run)}`;

// util-linux's `script` makes the pseudo terminal
describe.skipIf(process.platform !== 'linux')('the chat on a terminal', () => {
  it('shows what was said and what was replied, each once, and the prompt again', async () => {
    const { chat } = await open(echo);
    chat.type(`hello${enter}`);
    await chat.until('echo: hello');
    expect(await chat.until(/hello\nyou>$/)).toBe(
      'Ctrl-C stops an agent, Ctrl-D leaves, /help says more.\nyou> hello\nAssistant> echo: hello\nyou>',
    );
  });

  it('shows a reply in place while it grows, changes and shrinks, and that somebody works', async () => {
    const { agent, writes, ends } = puppet();
    const { chat } = await open(agent);
    chat.type(`hello${enter}`);
    await chat.until(/Assistant is (about to begin|working) …/);
    await writes('Once upon');
    await chat.until('Assistant> Once upon\n');
    await writes('Once upon a time there was a text that needs more than one row of the screen');
    await chat.until('row of the screen\n');
    await writes('Never mind');
    const shown = await chat.until('Assistant> Never mind\n');
    expect(shown).not.toContain('Once upon');
    expect(shown).toMatch(/\nyou>$/);
    ends('Never mind.');
    expect(await chat.until('Never mind.\nyou>')).toMatch(/you> hello\nAssistant> Never mind\.\nyou>$/);
    expect(chat.screen.everything()).not.toContain('Once upon');
  });

  it('shows a reply that is longer than the screen, each line once', async () => {
    const lines = (n: number) => Array.from({ length: n }, (_, i) => `line ${i + 1}`).join('\n');
    const { agent, writes, ends } = puppet();
    const { chat } = await open(agent, { rows: 10 });
    chat.type(`hello${enter}`);
    for (const n of [5, 10, 20, 30]) {
      await writes(lines(n));
      await chat.until(`line ${n}\n`);
    }
    ends(lines(30));
    await chat.until(/line 30\nyou>$/);
    const everything = chat.screen.everything();
    expect(everything.slice(everything.indexOf('you> hello'))).toBe(`you> hello\nAssistant> ${lines(30)}\nyou>`);
  });

  it('keeps what is being typed while a reply grows', async () => {
    const { agent, writes, ends } = puppet();
    const { chat } = await open(agent);
    chat.type(`hello${enter}`);
    await writes('some');
    await chat.until('Assistant> some\n');
    chat.type('next questin\u001b[D');
    await chat.until('you> next questin');
    await writes('some more');
    await chat.until('Assistant> some more\n');
    chat.type('o');
    await chat.until('you> next question');
    ends('some more.');
    expect(await chat.until(/more\.\nyou> next question$/)).toMatch(/Assistant> some more\.\nyou> next question$/);
  });

  it('takes a message while an agent works, and shows it before what is still being written', async () => {
    const { agent, writes, ends } = puppet();
    const { chat } = await open(async (run) => (lastBody(run) === 'hello' ? await agent(run) : 'second reply'));
    chat.type(`hello${enter}`);
    await writes('first reply so far');
    await chat.until('first reply so far');
    chat.type(`and this${enter}`);
    await chat.until(/you> hello\nyou> and this\nAssistant> first reply so far\n/);
    ends('first reply');
    await chat.until(/Assistant> first reply[\s\S]*Assistant> second reply\nyou>$/);
  });

  it('stops the agent at Ctrl-C, and not the chat', async () => {
    const { agent, writes } = puppet();
    let first = true;
    const { chat, core } = await open(async (run) => {
      if (!first) return 'still here';
      first = false;
      return await agent(run);
    });
    chat.type(`work${enter}`);
    await writes('half of');
    await chat.until('half of');
    chat.type(ctrlC);
    const shown = await chat.until(/_\(stopped\)_\nyou>$/);
    expect(shown).toContain('Switchboard> Stopped.');
    expect(shown).toContain('Assistant> half of\n');
    const [activation] = await core.core.database.query<{ state: string }>('select state from activation');
    expect(activation?.state).toBe('cancelled');
    chat.type(`hello?${enter}`);
    await chat.until('still here');
  });

  it('leaves at the second Ctrl-C in a row when nobody works, and says so at the first', async () => {
    const { chat } = await open(echo);
    chat.type(`half a line${ctrlC}`);
    await chat.until(/you>$/);
    chat.type(ctrlC);
    await chat.until('Ctrl-C once more, or Ctrl-D, leaves.');
    chat.type('x\u007f');
    await chat.until((text) => !text.includes('once more'));
    chat.type(ctrlC);
    await chat.until('once more');
    chat.type(ctrlC);
    expect(await chat.exited).toBe(0);
    expect(chat.screen.text()).not.toMatch(/you>$/);
    expect([...chat.screen.modes].sort()).toEqual(['25', '7']);
  });

  it.each([
    ['Ctrl-D', ctrlD],
    ['quit', `quit${enter}`],
    ['/exit', `/exit${enter}`],
  ])('leaves at %s', async (_what, keys) => {
    const { chat, core } = await open(echo);
    chat.type(keys);
    expect(await chat.exited).toBe(0);
    expect(await core.core.database.query('select 1 from event')).toEqual([]);
  });

  it('lets nothing that an agent writes touch the terminal, finished or not', async () => {
    const evil = 'a\u001b]0;owned\u0007b\u001b[2Jc\u001b[10Ad\u009b2Je\u001b[?1049h';
    const { agent, writes, ends } = puppet();
    const { chat } = await open(agent);
    chat.type(`hello${enter}`);
    await writes(evil);
    await chat.until('Assistant> a␛]0;owned␇b␛[2Jc␛[10Ad');
    ends(`${evil}.`);
    const shown = await chat.until(/\.\nyou>$/);
    expect(shown).toContain('you> hello\nAssistant> a␛]0;owned␇b␛[2Jc␛[10Ad\ufffd2Je␛[?1049h.\n');
    expect(chat.screen.strange).toEqual([]);
    expect(chat.screen.modes).not.toContain('1049');
  });

  it('keeps a pasted text of several lines together', async () => {
    const { chat, core } = await open(echo);
    expect(chat.screen.modes).toContain('2004');
    chat.type('\u001b[200~first\n\tsecond\nthird\u001b[201~');
    await chat.until('you> first⏎⇥second⏎third');
    chat.type(`!${enter}`);
    await chat.until('echo: first');
    const shown = await chat.until(/you>$/);
    expect(shown).toContain('you> first\n');
    expect(shown).toContain('\n     third!\nAssistant> echo: first\n');
    const [event] = await core.core.database.query<{ body: string }>(
      'select body from event order by position limit 1',
    );
    expect(event?.body).toBe('first\n\tsecond\nthird!');
  });

  it('completes commands and names, and shows what may be meant', async () => {
    const { chat } = await open(echo);
    chat.type(`/h${tab}`);
    await chat.until('/help   /hire\nyou> /h');
    chat.type(`e${tab}`);
    await chat.until(/[^ ]\nyou> \/help$/);
    chat.type(`\u0015assi${tab}`);
    await chat.until(/you> Assistant$/);
  });

  it.each([54, 55, 56, 60, 115])('shows a message of %d characters once, on a screen of 60 columns', async (length) => {
    const { chat } = await open(async () => 'fine');
    const message = Array.from({ length }, (_, i) => String(i % 10)).join('');
    chat.type(message);
    await chat.until((text) => text.replaceAll('\n', '').endsWith(message));
    chat.type(enter);
    const shown = await chat.until(/Assistant> fine\nyou>$/);
    const [, ...rows] = shown.split('\n');
    expect(rows.slice(0, -2).join('')).toBe(`you> ${message}`);
  });

  it('keeps a long text that is being typed, or was pasted, in its place while a reply grows', async () => {
    const { agent, writes, ends } = puppet();
    const { chat } = await open(agent);
    chat.type(`hello${enter}`);
    await writes('half');
    await chat.until('Assistant> half');
    const typed = 'x'.repeat(150);
    chat.type(typed);
    await chat.until((text) => text.replaceAll('\n', '').endsWith(`you> ${typed}`));
    await writes('half of it\nand');
    await chat.until('and\n');
    chat.type('\u001b[200~y\ny\u001b[201~');
    ends('half of it\nand the rest');
    const shown = await chat.until(/the rest\nyou> x[x\n]+y⏎y$/);
    expect(shown.replaceAll('\n', '')).toMatch(
      new RegExp(`you> helloAssistant> half of itand the restyou> ${typed}y⏎y$`),
    );
  });

  it('gives the terminal back as it was when it is ended from outside', async () => {
    const { agent, writes } = puppet();
    const { chat } = await open(agent);
    chat.type(`hello${enter}`);
    await writes('half');
    await chat.until('Assistant> half');
    chat.signal('SIGTERM');
    expect(await chat.exited).toBe(143);
    expect([...chat.screen.modes].sort()).toEqual(['25', '7']);
  });

  it('brings back what was said before', async () => {
    const { chat } = await open(echo);
    chat.type(`a first question${enter}`);
    await chat.until('echo: a first question');
    chat.type(up);
    await chat.until(/you> a first question$/);
  });

  it('begins a new thread at new', async () => {
    const { chat, core } = await open(echo);
    chat.type(`one${enter}`);
    await chat.until('echo: one');
    chat.type(`new${enter}`);
    await chat.until('A new thread begins.');
    chat.type(`two${enter}`);
    await chat.until('echo: two');
    expect(await core.core.database.query('select id from thread')).toHaveLength(2);
  });

  it('shows what was said in a thread that it goes on in', async () => {
    const { core, chat } = await open(echo);
    chat.type(`earlier${enter}`);
    await chat.until('echo: earlier');
    const [thread] = await core.core.database.query<{ id: string }>('select id from thread');
    const second = await startChat(core, { args: ['--thread', thread?.id ?? ''] });
    await second.until('Owner> earlier\nAssistant> echo: earlier\nyou>');
    second.type(`later${enter}`);
    await second.until('echo: later');
    await chat.until('Owner> later\nAssistant> echo: later\nyou>');
  });

  it('says why an agent waits, and why nobody answers', async () => {
    const { chat } = await open(async () => {
      throw new OutsideUnavailable('the model asks to wait', { retryAfterSeconds: 60 });
    });
    chat.type(`hello${enter}`);
    await chat.until('Assistant waits and tries again: the model asks to wait');
    chat.type(ctrlC);
    await chat.until(/Stopped\.\nyou>$/);
    chat.type(`mute${enter}`);
    await chat.until('Muted');
    chat.type(`hello?${enter}`);
    await chat.until('nobody was woken: this thread is muted');
  });

  it('says once that the connection was lost, and goes on with nothing lost or twice', async () => {
    const { agent, writes, ends } = puppet();
    const { chat, core } = await open(async (run) => (lastBody(run) === 'hello' ? await agent(run) : await echo(run)));
    chat.type(`hello${enter}`);
    await writes('before');
    await chat.until('Assistant> before\n');
    await core.goAway();
    await chat.until('The connection was lost: trying again …');
    chat.type(`said meanwhile${enter}`);
    await chat.until('a message waits to be sent');
    ends('the whole reply');
    await eventually(async () => {
      const [row] = await core.core.database.query(`select 1 from event where body = 'the whole reply'`);
      return row;
    });
    await core.comeBack();
    await chat.until('echo: said meanwhile');
    await chat.until(/you>$/);
    const everything = chat.screen.everything();
    for (const once of ['The connection was lost', 'Connected again.', 'the whole reply', 'echo: said meanwhile'])
      expect(everything.split(once)).toHaveLength(2);
    const events = await core.core.database.query<{ body: string }>('select body from event order by position');
    expect(events.map((event) => event.body).sort()).toEqual(
      ['echo: said meanwhile', 'hello', 'said meanwhile', 'the whole reply'].sort(),
    );
  });

  it('streams what an agent writes in another core', async () => {
    const { agent, writes, ends } = puppet();
    const { house } = await open(agent);
    const door = await house.add();
    const chat = await startChat(door);
    chat.type(`hello${enter}`);
    await writes('from over there');
    await chat.until('Assistant> from over there\n');
    ends('from over there.');
    await chat.until('from over there.\nyou>');
  });

  it('has colours, and none where NO_COLOR is set', async () => {
    const { chat, core } = await open(echo);
    expect(chat.output()).toContain('\u001b[1;32myou> ');
    const plain = await startChat(core, { env: { NO_COLOR: '1' } });
    plain.type(`hello${enter}`);
    await plain.until('echo: hello');
    expect(plain.output()).not.toMatch(/\[[\d;]*[1-9]m/);
  });

  it('is a plain program on a terminal that can do nothing', async () => {
    const { core } = await open(echo);
    const chat = startOnScreen({ port: core.port, env: { TERM: 'dumb' } });
    cleanups.push(() => chat[Symbol.asyncDispose]());
    chat.type('hello\n');
    await chat.until('echo: hello');
    expect(chat.output()).not.toContain('\u001b');
    expect(chat.screen.text()).not.toContain('you>');
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test as testAnywhere } from 'vitest';
import { type AgentsPlayground, startAgentsPlayground } from './clients/agents-playground.ts';
import { type House, openHouse } from './house.ts';
import { isRunning } from './process-tree.ts';
import { lastMessage, type Script, slow } from './stand-ins/model-scripts.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const linux = process.platform === 'linux';
const ms = 60_000;

const echo: Script = (request) => ({ text: `echo: ${lastMessage(request)}` });

let house: House;
let playground: AgentsPlayground;

beforeAll(async () => {
  if (!linux) return;
  house = await openHouse({ script: echo, env: { TEAMS_ANONYMOUS: '1' } });
  await house.start();
  playground = await startAgentsPlayground(`${house.core().url}/api/messages`);
}, ms);

afterAll(async () => {
  const pid = playground?.pid;
  await playground?.[Symbol.asyncDispose]();
  await house?.[Symbol.asyncDispose]();
  if (pid) expect(isRunning(pid)).toBe(false);
}, ms);

/** Waits until the bot has said this there, and nothing else after it. */
async function answered(conversation: string, text: string, timeout = 20_000) {
  await expect.poll(() => playground.messages(conversation).at(-1)?.text, { timeout }).toBe(text);
}

/** The Thread of the one message that says this. */
async function threadOf(body: string): Promise<string> {
  const rows = await house.query<{ thread: string }>(
    `select thread from event where body = $1 and source_kind = 'human'`,
    [body],
  );
  expect(rows).toHaveLength(1);
  return rows[0]?.thread ?? '';
}

test('a personal chat is answered without a mention, and is one conversation until `new`', {
  timeout: ms,
}, async () => {
  const { personal } = playground.places;
  await playground.say(personal, 'hello there');
  await answered(personal, 'echo: hello there');
  expect(playground.typings(personal)).toBeGreaterThan(0);
  await playground.say(personal, 'and again');
  await answered(personal, 'echo: and again');
  expect(await threadOf('and again')).toBe(await threadOf('hello there'));
  const [request] = house.model?.chats().slice(-1) ?? [];
  expect(JSON.stringify(request)).toContain('hello there');

  await playground.say(personal, 'new');
  await answered(personal, 'Done. What you say next begins a new conversation.');
  await playground.say(personal, 'something else');
  await answered(personal, 'echo: something else');
  expect(await threadOf('something else')).not.toBe(await threadOf('hello there'));
});

test('a mention in a group chat is answered there', { timeout: ms }, async () => {
  const { group } = playground.places;
  await playground.say(group, 'who is in?', { mention: true });
  await answered(group, 'echo: who is in?');
  await playground.say(group, 'and who is out?', { mention: true });
  await answered(group, 'echo: and who is out?');
  expect(await threadOf('and who is out?')).toBe(await threadOf('who is in?'));
});

test('a mention in a channel is answered in its thread, and so is what follows there', { timeout: ms }, async () => {
  const { channel } = playground.places;
  const thread = await playground.say(channel, 'look into this', { mention: true });
  expect(thread).not.toBe(channel);
  await answered(thread, 'echo: look into this');
  await playground.say(thread, 'with a mention', { mention: true });
  await answered(thread, 'echo: with a mention');
  await playground.sayUnheard(thread, 'and without');
  await answered(thread, 'echo: and without');
  expect(await threadOf('with a mention')).toBe(await threadOf('look into this'));
  expect(await threadOf('and without')).toBe(await threadOf('look into this'));

  const other = await playground.say(channel, 'another matter', { mention: true });
  await answered(other, 'echo: another matter');
  expect(await threadOf('another matter')).not.toBe(await threadOf('look into this'));
  expect(playground.messages(channel)).toEqual([]);
  expect(playground.messages(thread)).toHaveLength(3);
});

test('a long answer is one message that grows', { timeout: ms }, async () => {
  const { personal } = playground.places;
  const before = playground.messages(personal).length;
  house.model?.use(slow('one two three four five six seven eight', { chunks: 8, chunkMs: 400 }));
  await playground.say(personal, 'count');
  await answered(personal, 'one two three four five six seven eight');
  house.model?.use(echo);
  const messages = playground.messages(personal).slice(before);
  expect(messages).toHaveLength(1);
  expect(messages[0]?.edits).toBeGreaterThanOrEqual(2);
});

test('commands are answered by the core, and `stop` ends what runs', { timeout: ms }, async () => {
  const { personal } = playground.places;
  await playground.say(personal, '/help');
  await expect.poll(() => playground.messages(personal).at(-1)?.text, { timeout: 20_000 }).toContain('`stop`');
  house.model?.use(slow('this takes a while', { chunks: 4, chunkMs: 5000 }));
  await playground.say(personal, 'take your time');
  await expect.poll(() => playground.messages(personal).at(-1)?.text, { timeout: 20_000 }).toMatch(/^this/);
  await playground.say(personal, 'stop');
  await expect
    .poll(() => playground.messages(personal).map((message) => message.text), { timeout: 20_000 })
    .toEqual(expect.arrayContaining([expect.stringContaining('(stopped)'), 'Stopped.']));
  house.model?.use(echo);
});

test('what was being answered when the core was killed is answered once by the next', { timeout: ms }, async () => {
  const { personal } = playground.places;
  const before = playground.messages(personal).length;
  house.model?.use(slow('half said and then said whole', { chunks: 6, chunkMs: 1000 }));
  await playground.say(personal, 'survive this');
  // Once it has been edited its id is committed: before that is the one gap in which a kill may make a second message.
  await expect.poll(() => playground.messages(personal)[before]?.edits, { timeout: 20_000 }).toBeGreaterThan(0);
  house.core().kill('SIGKILL');
  await house.core().exited;
  await house.start();
  await answered(personal, 'half said and then said whole', 45_000);
  await sleep(1500);
  expect(playground.messages(personal)).toHaveLength(before + 1);
  house.model?.use(echo);
});

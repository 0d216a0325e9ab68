import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type McpHouse, openMcpHouse } from '../mcp/testing/mcp-house.ts';
import { findOrMakeGuest } from '../organisation/identities.ts';
import { reservedNames } from '../organisation/worker-name.ts';
import type { ThreadId, WorkerId } from '../store/ids.ts';
import { parseCommand } from '../streams/address.ts';
import { append } from '../streams/append.ts';
import { threadCommands } from '../streams/thread-commands.ts';
import { chatPrompts } from './chat-prompts.ts';
import { allPrompts } from './index.ts';

let house: McpHouse;
let thread: ThreadId;
let guest: WorkerId;
beforeAll(async () => {
  house = await openMcpHouse();
  guest = await findOrMakeGuest(house.core.database, 'default', {
    platform: 'mail',
    externalId: 'g@x.example',
    name: 'Gwen',
  });
  ({ thread } = await append(house.core, {
    organisation: 'default',
    stream: 's-general',
    author: 'w-owner',
    sourceKind: 'human',
    message: { body: 'hi' },
    addressed: ['w-assistant'],
  }));
  await house.core.database.query(
    `insert into activation (organisation, id, worker, stream, thread, origin) values ('default', 'a-1', 'w-assistant', 's-general', $1, 'e-1')`,
    [thread],
  );
  await house.core.database.query(
    `with s as (update stream set position = 1 where id = 's-activation-w-assistant')
     insert into step (organisation, activation, number, stream, position, kind, content)
     values ('default', 'a-1', 1, 's-activation-w-assistant', 1, 'text', '{"text":"I looked it up"}')`,
  );
});
afterAll(() => house[Symbol.asyncDispose]());

/** What a text in the thread comes to: an answer, the text for an agent, or null for an ordinary message. */
async function say(text: string, worker: WorkerId = 'w-owner'): Promise<string | null> {
  const command = parseCommand(text);
  if (!command) return null;
  const asked = { organisation: 'default', worker, stream: 's-general', thread, command } as const;
  const prompt = await chatPrompts.inChat(house.core, asked);
  if (!prompt) return null;
  if (prompt.kind === 'prompt') return `to the agent: ${prompt.text}`;
  const answer = await prompt.answer({ thread });
  return typeof answer === 'string' ? answer : answer.text;
}

describe('help', () => {
  it('lists every prompt that the person may use, and every command of a thread', async () => {
    const answer = await say('help');
    for (const { name } of allPrompts) expect(answer).toContain(`\`/${name}`);
    for (const { name } of threadCommands) expect(answer).toContain(`\`${name}\``);
  });

  it('shows a guest nothing that needs a grant', async () => {
    const answer = await say('/help', guest);
    expect(answer).toContain('/help');
    expect(answer).not.toMatch(/\/(role|hire|log|who)/);
  });
});

describe('who', () => {
  it('says who listens, how, and who takes part', async () => {
    const answer = await say('who');
    expect(answer).toContain(
      'Assistant (w-assistant, AI): when addressed, and threads it takes part in; answers when nobody is addressed',
    );
    expect(answer).toContain('Owner (w-owner, person): everything');
    expect(answer).not.toContain('muted');
    await house.core.database.query('update thread set muted_at = now() where id = $1', [thread]);
    expect(await say('/who')).toContain('muted');
    expect(await say('/who s-nowhere')).toContain('unknown stream "s-nowhere"');
  });
});

describe('log', () => {
  it('shows what the agent of the thread did', async () => {
    expect(await say('log')).toContain('I looked it up');
    expect(await say('/log Assistant')).toContain('I looked it up');
    expect(await say('/log nobody')).toContain('unknown worker "nobody"');
  });

  it('shows nothing where somebody reads along who may not see it', async () => {
    await house.call('hire_worker', {
      name: 'Ivy',
      kind: 'human',
      position: 'p-owner',
      identity: '',
      subscriptions: ['s-general'],
    });
    const answer = await say('log');
    expect(answer).not.toContain('I looked it up');
    expect(answer).toContain('not by w-ivy');
  });
});

describe('role and hire', () => {
  it('become the words for an agent', async () => {
    expect(await say('/role Support engineer')).toMatch(/^to the agent: Draft a role titled "Support engineer"/);
    expect(await say('hire Sam for customer mail')).toContain('Prepare to hire "Sam for customer mail"');
  });

  it('say what is missing', async () => {
    expect(await say('/role')).toContain('`/role <title>`');
  });

  it('are ordinary words for who may not use them', async () => {
    expect(await say('/role Support engineer', guest)).toBeNull();
  });
});

it.each([
  'help me with my taxes',
  'who are you?',
  'log in to the portal',
  'role models matter. Do they not?',
  'what is new',
])('%j is an ordinary message', async (text) => {
  expect(await say(text)).toBeNull();
});

it('no worker can be called like a prompt or a command', () => {
  for (const { name } of [...allPrompts, ...threadCommands]) expect(reservedNames.has(name), name).toBe(true);
});

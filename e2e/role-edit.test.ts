import { expect, test as testAnywhere } from 'vitest';
import { z } from 'zod';
import { inspect } from './clients/inspector.ts';
import { openHouse } from './house.ts';
import {
  alwaysAnswer,
  callToolThenAnswer,
  combine,
  ECHO_ROLE,
  echoByRole,
  LOUD_ROLE,
} from './stand-ins/model-scripts.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const ms = 90_000;

test('a role that is edited counts from the next message on, without a restart', { timeout: ms }, async () => {
  await using house = await openHouse({ script: combine(echoByRole, alwaysAnswer('I have no such role.')) });
  const core = await house.start();
  const ask = async () => {
    const { messageId } = await house.send({ from: 'ada@example.com', text: 'hello' });
    return (await house.sink.waitFor((mail) => mail.inReplyTo === messageId, 15_000)).text;
  };
  const owner = { url: core.url, worker: 'w-owner', token: await house.switchboard('token', 'w-owner') };
  const updateRole = async (content: string) => {
    const args = ['--tool-arg', 'role=r-assistant', '--tool-arg', `content=${content}`];
    const result = await inspect(owner, ['--method', 'tools/call', '--tool-name', 'update_role', ...args]);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).not.toContain('"isError": true');
  };

  expect(await ask()).toBe('I have no such role.');
  await updateRole(ECHO_ROLE);
  expect(await ask()).toBe('echo: hello');
  await updateRole(LOUD_ROLE);
  expect(await ask()).toBe('loud: HELLO');

  const sdk = await house.mcp('w-owner');
  await sdk.value('update_role', { role: 'r-assistant', content: ECHO_ROLE });
  expect(await ask()).toBe('echo: hello');
  expect(house.core()).toBe(core);
});

test('an agent that holds update_role uses it for the owner, and refuses it to a guest', { timeout: ms }, async () => {
  await using house = await openHouse({
    script: combine(callToolThenAnswer, echoByRole, alwaysAnswer('Yes?')),
    env: { MAIL_TRUSTED_RELAYS: '127.0.0.1' },
  });
  await house.start();
  const owner = await house.mcp('w-owner');
  await owner.value('grant', { worker: 'w-assistant', tools: ['update_role'] });
  const Role = z.object({ role: z.object({ content: z.string() }) });
  const roleNow = async () => Role.parse(await owner.value('get_role', { role: 'r-assistant' })).role.content;
  const ask = async (from: string, text: string, headers?: { inReplyTo: string; references: string[] }) => {
    const { messageId } = await house.send({ from, text, ...headers });
    return await house.sink.waitFor((mail) => mail.inReplyTo === messageId, 15_000);
  };
  const wish = (content: string) => `call update_role ${JSON.stringify({ role: 'r-assistant', content })}`;

  const before = await roleNow();
  const refused = await ask('guest@example.com', wish(LOUD_ROLE));
  expect(refused.text).toContain('tool said: ');
  expect(refused.text).toContain('without holding update_role');
  expect(await roleNow()).toBe(before);

  const code = await house.switchboard('pair');
  expect((await ask('olga@example.com', code)).text).toContain('linked');
  expect((await ask('olga@example.com', wish(ECHO_ROLE))).text).toContain('tool said: ');
  expect(await roleNow()).toBe(ECHO_ROLE);
  expect((await ask('guest@example.com', 'hello')).text).toBe('echo: hello');

  expect((await ask('guest@example.com', wish(LOUD_ROLE))).text).toContain('without holding update_role');
  expect(await roleNow()).toBe(ECHO_ROLE);
});

test('the tools that a client sees are exactly those granted', { timeout: ms }, async () => {
  await using house = await openHouse();
  const core = await house.start();
  const namesOf = async (worker: string) => {
    const token = await house.switchboard('token', worker);
    const result = await inspect({ url: core.url, worker, token }, ['--method', 'tools/list']);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    const { tools } = JSON.parse(result.stdout) as { tools: { name: string }[] };
    return tools.map((tool) => tool.name).sort();
  };
  const owner = await house.mcp('w-owner');
  const [assistant, everything] = [await namesOf('w-assistant'), await namesOf('w-owner')];
  const desktop = ['screenshot', 'click', 'type', 'key', 'scroll', 'open_url', 'run', 'read_file', 'write_file'];
  expect(assistant).toEqual(
    [
      'publish',
      'dm',
      'read_events',
      'list_streams',
      'get_stream',
      'stream_members',
      'list_workers',
      'get_worker',
      ...desktop.map((name) => `desktop_${name}`),
      'share_desktop',
      'ask_for_help',
    ].sort(),
  );
  expect(everything).toEqual(expect.arrayContaining([...assistant, 'update_role', 'hire_worker', 'list_dead']));
  await owner.value('revoke', { worker: 'w-assistant', tools: ['dm'] });
  await owner.value('grant', { worker: 'w-assistant', tools: ['get_role'] });
  expect(await namesOf('w-assistant')).toEqual([...assistant.filter((name) => name !== 'dm'), 'get_role'].sort());
});

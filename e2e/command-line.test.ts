import { afterAll, beforeAll, describe, expect, test as testAnywhere } from 'vitest';
import { switchboard } from './clients/switchboard-command.ts';
import { connectWorker } from './clients/worker-mcp.ts';
import { type House, openHouse } from './house.ts';
import { findDatabaseProcesses } from './process-tree.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const ms = 60_000;
let house: House;

beforeAll(async () => {
  house = await openHouse();
  await house.start();
}, ms);

afterAll(() => house[Symbol.asyncDispose](), ms);

const run = (...args: string[]) => switchboard(args, { dataDirectory: house.dataDirectory });

test.each([
  [['token', 'w-nobody'], 'w-nobody'],
  [['config', 'set', 'MODEL', 'gpt'], 'openai-compatible'],
  [['config', 'set', 'PROT', '80'], 'PORT'],
  [['config', 'set', 'DATA_DIR', '/x'], 'DATA_DIR'],
  [['token'], 'npx switchboard token <worker>'],
])('refuses %j with a sentence and nothing on stdout', { timeout: ms }, async (args, said) => {
  const refused = await run(...args);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain(said);
  expect(refused.stderr).not.toMatch(/\bat .*\.ts:\d+/);
});

describe.each(['up', 'down'])('npx switchboard with the core %s', (state) => {
  beforeAll(async () => {
    if (state === 'down') await house.core().stop();
  }, ms);

  test('prints the value alone on stdout', { timeout: ms }, async () => {
    const token = await run('token', 'w-owner');
    expect(token).toMatchObject({ code: 0, stderr: '' });
    expect(token.stdout).toMatch(/^\S{40,}\n$/);
    const pair = await run('pair');
    expect(pair).toMatchObject({ code: 0, stderr: '' });
    expect(pair.stdout).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}\n$/);
  });

  test('sets, gets and forgets a setting', { timeout: ms }, async () => {
    expect(await run('config', 'set', 'MODEL_DEADLINE', '120')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await run('config', 'get', 'MODEL_DEADLINE')).toEqual({ code: 0, stdout: '120\n', stderr: '' });
    expect(await run('config', 'unset', 'MODEL_DEADLINE')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await run('config', 'get', 'MODEL_DEADLINE')).toEqual({ code: 0, stdout: '600\n', stderr: '' });
  });

  test('stores a secret encrypted and never shows it', { timeout: ms }, async () => {
    expect(await run('config', 'set', 'OPENAI_API_KEY', 'sk-very-secret')).toMatchObject({ code: 0, stdout: '' });
    const shown = await run('config', 'get', 'OPENAI_API_KEY');
    const all = await run('config');
    expect(shown.code).toBe(0);
    expect(shown.stdout + shown.stderr + all.stdout + all.stderr).not.toContain('sk-very-secret');
    expect(all.stdout).toContain('OPENAI_API_KEY');
    expect(await run('config', 'unset', 'OPENAI_API_KEY')).toMatchObject({ code: 0 });
  });

  test('leaves the database as it found it', async () => {
    expect(findDatabaseProcesses(house.dataDirectory).length > 0).toBe(state === 'up');
  });
});

test('a token made while the core was down opens the endpoint after its start, and no other one', {
  timeout: ms,
}, async () => {
  const token = await house.switchboard('token', 'w-owner');
  const core = await house.start();
  await using owner = await connectWorker(core.url, 'w-owner', token);
  expect((await owner.client.listTools()).tools.length).toBeGreaterThan(20);
  await expect(connectWorker(core.url, 'w-assistant', token)).rejects.toThrow(/403|forbidden/i);
  await expect(connectWorker(core.url, 'w-owner', 'wrong')).rejects.toThrow(/401|unauthori[sz]ed|token/i);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { assistantGrants } from '../organisation/seed.ts';
import type { ToolContext } from '../tools/tool.ts';
import { openWorkerMcp } from './open-worker-mcp.ts';
import { type McpHouse, openMcpHouse, readAnswer } from './testing/mcp-house.ts';

let house: McpHouse;
beforeAll(async () => {
  house = await openMcpHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

function during(signal = new AbortController().signal): ToolContext {
  return {
    core: house.core,
    organisation: 'default',
    worker: 'w-assistant',
    activation: {
      id: 'a-test',
      stream: 's-general',
      thread: 't-test',
      behalf: [],
      readers: ['w-owner'],
      hops: 1,
      origin: 'e-test',
    },
    signal,
  };
}

test('an agent that runs meets the same tools and rules in this process as over HTTP', async () => {
  const client = await openWorkerMcp(during());
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name).sort()).toEqual([...assistantGrants].sort());
  const overHttp = await (await house.connect('w-assistant')).listTools();
  expect(tools).toEqual(overHttp.tools);
  const answer = readAnswer(await client.callTool({ name: 'publish', arguments: { stream: 's-general', body: 'hi' } }));
  expect(answer.isError, answer.text).toBe(false);
  expect(await house.core.database.query(`select author, activation, hops from event`)).toEqual([
    { author: 'w-assistant', activation: 'a-test', hops: 1 },
  ]);
  await client.close();
});

test('when the run ends, what its tools wait for ends too', async () => {
  const run = new AbortController();
  const client = await openWorkerMcp(during(run.signal));
  const waiting = client.callTool({
    name: 'read_events',
    arguments: { since: 'beginning', thread: 't-none', wait: 60 },
  });
  await waiting.catch(() => undefined);
  const { cursor } = readAnswer(await client.callTool({ name: 'read_events', arguments: {} })).value;
  const started = performance.now();
  const poll = client.callTool({ name: 'read_events', arguments: { since: cursor, wait: 60 } });
  setTimeout(() => run.abort(), 200);
  await poll;
  expect(performance.now() - started).toBeLessThan(5000);
  await client.close();
});

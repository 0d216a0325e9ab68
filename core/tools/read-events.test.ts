import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type McpHouse, openMcpHouse } from '../mcp/testing/mcp-house.ts';

let house: McpHouse;
beforeAll(async () => {
  house = await openMcpHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

const read = async (input: unknown) => (await house.call('read_events', input)).value;

test('a long poll ends as soon as something is said', async () => {
  const { cursor } = await read({ stream: 's-general' });
  const started = performance.now();
  const waiting = read({ stream: 's-general', since: cursor, wait: 20 });
  await sleep(300);
  await house.call('publish', { stream: 's-general', body: 'at last' });
  expect(at(await waiting, 'events.0.body')).toBe('at last');
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('a long poll that nothing ends gives nothing after its time, and a cursor to go on from', async () => {
  const { cursor } = await read({ stream: 's-general' });
  const started = performance.now();
  const page = await read({ stream: 's-general', since: cursor, wait: '1' });
  expect(page).toMatchObject({ events: [], more: false });
  expect(performance.now() - started).toBeGreaterThan(950);
  await house.call('publish', { stream: 's-general', body: 'later' });
  expect(at(await read({ since: page.cursor }), 'events.0.body')).toBe('later');
});

test('a client that goes away ends its long poll in the server', async () => {
  const { waking } = house.core;
  let listening = 0;
  const listen = waking.listen;
  waking.listen = (listener) => {
    listening++;
    const unlisten = listen(listener);
    return () => {
      listening--;
      unlisten();
    };
  };
  const { cursor } = await read({});
  const gone = new AbortController();
  const params = { name: 'read_events', arguments: { since: cursor, wait: 60 } };
  const answer = fetch(`${house.url}/workers/w-owner/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await house.token()}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    signal: gone.signal,
  }).then((response) => response.text());
  await expect.poll(() => listening).toBe(1);
  gone.abort();
  await expect(answer).rejects.toThrow();
  await expect.poll(() => listening).toBe(0);
});

test('a position counts with its stream, and means nothing without', async () => {
  expect(at(await read({ stream: 's-general', since: '0', limit: 1 }), 'events.0.position')).toBe(1);
  const answer = await house.call('read_events', { since: 1 });
  expect(answer).toMatchObject({ isError: true, text: expect.stringContaining('a position needs a stream') });
  expect((await house.call('read_events', { since: 'yesterday' })).text).toContain('"yesterday" is no cursor');
});

test('a transcript is read like any stream', async () => {
  const page = await read({ stream: 's-activation-w-assistant', since: 'beginning' });
  expect(page).toMatchObject({ events: [], more: false });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { test as testAnywhere } from 'vitest';
import { openHouse } from './house.ts';
import { findDatabaseProcesses } from './process-tree.ts';

// Elsewhere there is no /proc to see processes by. Concurrent, because each of them mostly waits.
const test = testAnywhere.skipIf(process.platform !== 'linux').concurrent;
const ms = 90_000;

test('a graceful stop lets what runs finish', { timeout: ms }, async ({ expect }) => {
  await using house = await openHouse({ script: () => ({ text: 'It took a while.', delayMs: 1500 }) });
  const core = await house.start();
  await house.send({ from: 'ada@example.com', text: 'Think about it.' });
  await expect.poll(() => house.model?.chats().length, { timeout: 10_000 }).toBe(1);
  const began = performance.now();
  expect(await core.stop(25_000)).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(10_000);
  await house.start();
  await house.sink.waitFor((mail) => mail.text.includes('It took a while.'), 10_000);
  await sleep(500);
  expect(house.sink.messages()).toHaveLength(1);
  expect(house.model?.chats()).toHaveLength(1);
});

test('what does not finish in 20 s is given back and answered by the next start', { timeout: ms }, async ({
  expect,
}) => {
  await using house = await openHouse({ script: () => ({ text: 'Never.', hangAfterChunks: 0 }) });
  const core = await house.start();
  await house.send({ from: 'ada@example.com', text: 'Think about it.' });
  await expect.poll(() => house.model?.chats().length, { timeout: 10_000 }).toBe(1);
  const began = performance.now();
  expect(await core.stop(40_000)).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeGreaterThan(15_000);
  expect(performance.now() - began).toBeLessThan(28_000);
  expect(findDatabaseProcesses(house.dataDirectory)).toEqual([]);

  house.model?.use(() => ({ text: 'Here it is.' }));
  await house.start();
  await house.sink.waitFor((mail) => mail.text.includes('Here it is.'), 10_000);
  expect(house.sink.messages()).toHaveLength(1);
});

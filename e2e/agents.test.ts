import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test as testAnywhere } from 'vitest';
import { z } from 'zod';
import { hireTalkers, readExchange } from './clients/talkers.ts';
import { openHouse } from './house.ts';
import { alwaysAnswer } from './stand-ins/model-scripts.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const ms = 90_000;

test('two agents that always answer each other stop at the hop limit, with one notice', { timeout: ms }, async () => {
  await using house = await openHouse({ script: alwaysAnswer('And what do you think?') });
  await house.start();
  const owner = await house.mcp('w-owner');
  const talkers = await hireTalkers(owner, ['Castor', 'Pollux']);
  const { thread } = z
    .object({ thread: z.string() })
    .parse(await owner.value('publish', { stream: talkers.stream, body: 'What do you make of the weather?' }));

  const exchange = await readExchange(owner, talkers.stream, thread);
  expect(exchange.notices).toHaveLength(1);
  expect(exchange.notices[0]).toContain('often enough');
  expect(new Set(exchange.authors)).toEqual(new Set(talkers.workers));
  expect(exchange.answers).toBeGreaterThanOrEqual(8);
  expect(exchange.answers).toBeLessThanOrEqual(2 * 9);
  const [deepest] = await house.query<{ hops: number }>('select max(hops) as hops from event where thread = $1', [
    thread,
  ]);
  expect(deepest?.hops).toBe(9);

  await sleep(1000);
  expect((await readExchange(owner, talkers.stream, thread)).answers).toBe(exchange.answers);
  const chats = house.model?.chats().length;
  await owner.value('publish', { stream: talkers.stream, thread, body: 'Go on.' });
  await expect.poll(() => house.model?.chats().length ?? 0, { timeout: 10_000 }).toBeGreaterThan(chats ?? 0);
  expect((await readExchange(owner, talkers.stream, thread)).notices).toHaveLength(2);
});

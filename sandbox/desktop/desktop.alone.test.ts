import { expect, it } from 'vitest';
import { isDesktop } from '../host/testing/core-stand-in.ts';
import { openHostHouse, until, wish } from '../host/testing/host-house.ts';

it('the streamer of a Desktop that is killed for the first time is there again at once', async () => {
  await using house = await openHostHouse();
  house.core.want([wish('d-1', 1, { recording: 'a-1' })]);
  await house.core.hears(isDesktop('d-1', 'running'));
  await until(() => house.streamers[0]?.told.includes('record a-1') ?? false);
  const killedAt = performance.now();
  process.kill(house.streamers[0]?.pid ?? 0, 'SIGKILL');
  await until(() => house.streamers[1]?.told.includes('record a-1') ?? false);
  // Those that are killed again wait for 500 ms and more.
  expect(performance.now() - killedAt).toBeLessThan(400);
});

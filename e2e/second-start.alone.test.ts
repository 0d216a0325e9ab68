import { expect, test } from 'vitest';
import { openHouse } from './house.ts';

test.skipIf(process.platform !== 'linux')('a second start is ready in under 3 s', { timeout: 60_000 }, async () => {
  // Whole, as a person starts it: with the sandbox host beside it.
  await using house = await openHouse({ env: { EMBEDDED_HOST: 'true' } });
  const first = await house.start();
  await first.stop(25_000);
  const again = performance.now();
  await house.start();
  expect(performance.now() - again).toBeLessThan(3000);
});

import { describe, expect, it } from 'vitest';
import { hasXvfb } from '../testing/x-server.ts';
import { openDesk } from './testing/open-desk.ts';

describe.skipIf(!hasXvfb)('the time from a call to the event in a program (needs Xvfb)', () => {
  it('is under 5 ms for keys and for the pointer, at the median', async () => {
    await using desk = await openDesk();
    const times = { key: [] as number[], pointer: [] as number[] };
    for (let n = 0; n < 50; n++) {
      const code = 'a'.charCodeAt(0) + (n % 26);
      const pressed = desk.window.next('KeyPress');
      let from = performance.now();
      const done = desk.input.apply({ type: 'key', down: true, keysym: code });
      await pressed;
      times.key.push(performance.now() - from);
      await done;
      await desk.input.apply({ type: 'key', down: false, keysym: code });

      const moved = desk.window.next('MotionNotify');
      from = performance.now();
      void desk.input.apply({ type: 'pointer', x: 1000 + n * 500, y: 3000 });
      await moved;
      times.pointer.push(performance.now() - from);
    }

    const figures = Object.entries(times).map(([what, all]) => `${what} ${median(all).toFixed(2)} ms`);
    console.info(`from the call to the event: ${figures.join(', ')}`);
    expect(median(times.key)).toBeLessThan(5);
    expect(median(times.pointer)).toBeLessThan(5);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

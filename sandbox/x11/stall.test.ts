import { describe, expect, it } from 'vitest';
import { hasXvfb, startTestXServer } from '../testing/x-server.ts';
import { connectX } from './connect.ts';
import { watchForStall } from './stall.ts';

describe.skipIf(!hasXvfb)('an X server', () => {
  it('that is halted is told of, one that answers is not', async () => {
    await using server = await startTestXServer({ width: 64, height: 64 });
    const x = await connectX(server.display);
    const watch = watchForStall(x, { afterMs: 300, everyMs: 50 });
    let stalled = false;
    void watch.stalled.then(() => {
      stalled = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(stalled).toBe(false);
    process.kill(server.pid, 'SIGSTOP');
    try {
      expect((await watch.stalled).message).toContain('has not answered');
    } finally {
      process.kill(server.pid, 'SIGCONT');
      watch.stop();
      await x.close();
    }
  });
});

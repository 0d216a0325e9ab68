import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { canHoldShared, holdShared } from '../testing/hold-shared.ts';
import { measureMemory } from './sandbox-memory.ts';

const megabyte = 1 << 20;

/** Runs a command below a shell, whose descendants are measured, and waits until each of its processes holds its memory. */
async function holding(command: string, processes: number): Promise<{ pid: number } & AsyncDisposable> {
  const shell = spawn('sh', ['-c', `${command}; true`], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const ended = once(shell, 'exit');
  const { pid = 0 } = shell;
  let holding = 0;
  createInterface({ input: shell.stdout }).on('line', () => {
    holding += 1;
  });
  await expect.poll(() => holding).toBe(processes);
  return {
    pid,
    async [Symbol.asyncDispose]() {
      process.kill(-pid, 'SIGKILL');
      await ended;
    },
  };
}

describe.skipIf(!canHoldShared)('the memory of a sandbox', () => {
  it('has what several processes share in it once, when it is near the limit', async () => {
    await using held = await holding(holdShared({ megabytes: 200, children: 4, seconds: 30 }), 5);
    const { bytes, largest } = await measureMemory(held.pid, 100 * megabyte);
    expect(bytes / megabyte).toBeGreaterThan(199);
    expect(bytes / megabyte).toBeLessThan(260);
    expect(largest).toBeGreaterThan(held.pid);
  });

  it('is not looked into when it is below the limit even if all that is shared were everybody’s own', async () => {
    await using held = await holding(holdShared({ megabytes: 50, children: 1, seconds: 30 }), 2);
    const { bytes } = await measureMemory(held.pid, 1000 * megabyte);
    expect(bytes / megabyte).toBeGreaterThan(99);
    expect(bytes / megabyte).toBeLessThan(150);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../host/testing/host-house.ts';
import { byPs, residentBytes } from './resident-bytes.ts';
import { watchStreamerMemory } from './streamer-memory.ts';

const megabyte = 1 << 20;
const logged: string[] = [];
const log = pino({}, { write: (line) => void logged.push(JSON.parse(line).msg) });
const processes: { pid: number; end(): void }[] = [];

/** A process that takes more and more memory, so many MB in each tenth of a second, up to some. */
async function growing(step: number, most: number): Promise<number> {
  const program = `
    const held = [];
    setInterval(() => held.length * ${step} < ${most} && held.push(Buffer.alloc(${step} * ${megabyte}, 1)), 100);
    console.log('runs');
  `;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid = 0 } = child;
  processes.push({ pid, end: () => child.kill('SIGKILL') });
  await once(child.stdout, 'data');
  return pid;
}

afterEach(() => {
  for (const { end } of processes.splice(0)) end();
  logged.length = 0;
});

describe.skipIf(process.platform === 'win32')('the memory of a streamer', () => {
  it('is read of its process, and by ps(1) where there is no other way', async () => {
    const pid = await growing(100, 100);
    await expect.poll(() => residentBytes(pid)).toBeGreaterThan(100 * megabyte);
    // It may still be growing when the two are read.
    const difference = async () => {
      const [bytes = 0, kilobytes] = await Promise.all([residentBytes(pid), byPs(pid)]);
      return Math.abs(bytes - kilobytes * 1024);
    };
    await expect.poll(difference).toBeLessThan(20 * megabyte);
    expect(await residentBytes(2 ** 30)).toBeUndefined();
  });

  it('may grow up to the limit, and is passed when there is more', async () => {
    const watch = watchStreamerMemory(log, { limitBytes: 300 * megabyte, lookEveryMs: 20, restMs: 60_000 });
    const passed: string[] = [];
    const end = watch.begin(await growing(20, 100), (why) => passed.push(why));
    await sleep(1000);
    expect(passed).toEqual([]);
    end();
    watch.begin(await growing(50, 1000), (why) => passed.push(why));
    await until(() => passed.length > 0);
    await sleep(200);
    expect(passed).toEqual([expect.stringMatching(/^it takes \d+ MB of memory and may take 315 MB$/)]);
  });

  it('of one that has just replaced another may be up to twice as much, so that it is not replaced for ever', async () => {
    const watch = watchStreamerMemory(log, { limitBytes: 200 * megabyte, lookEveryMs: 20, restMs: 60_000 });
    let passed = 0;
    const first = await growing(250, 250);
    watch.begin(first, () => passed++);
    await until(() => passed === 1);

    const another = watch.begin(await growing(200, 200), () => passed++);
    await until(() => logged.length > 0);
    await sleep(200);
    expect(logged).toEqual(['the streamer that has replaced one too large is so as well: it stays for now']);
    expect(passed).toBe(1);
    another();

    watch.begin(await growing(200, 600), () => passed++);
    await until(() => passed === 2);
  });

  it('is held to the limit again after a while', async () => {
    const watch = watchStreamerMemory(log, { limitBytes: 200 * megabyte, lookEveryMs: 20, restMs: 500 });
    const passedAt: number[] = [];
    const pid = await growing(250, 250);
    watch.begin(pid, () => passedAt.push(performance.now()));
    await until(() => passedAt.length === 1);
    watch.begin(pid, () => passedAt.push(performance.now()));
    await until(() => passedAt.length === 2);
    const [first = 0, second = 0] = passedAt;
    expect(second - first).toBeGreaterThan(300);
  });
});

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { loadNodeAv } from '../encode/node-av.ts';
import { hasXvfb } from '../testing/x-server.ts';
import { startTestStreamer } from './testing/started-streamer.ts';

const av = await loadNodeAv();

it.skipIf(!hasXvfb || !av)('a streamer that is watched costs next to nothing while nothing changes', async () => {
  await using started = await startTestStreamer({ width: 640, height: 480 });
  const viewer = await started.core.join(started.streamer);
  await viewer.framesReach(1);
  await sleep(1000);
  const before = cpuMs(started.streamer.pid);
  await sleep(2000);
  expect(cpuMs(started.streamer.pid) - before).toBeLessThan(2000 * 0.03);
});

/** Processor time of a process until now, in milliseconds: proc(5), utime and stime in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

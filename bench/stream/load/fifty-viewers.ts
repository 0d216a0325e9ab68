import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../figures.ts';
import { secondsOf } from '../server-cpu.ts';
import { closeAll, type Ground, timeChanges, view } from './ground.ts';
import type { ProtocolClient } from './protocol-client.ts';

const many = 50;
/** A picture that comes later than this counts as none. */
const backWithinMs = 10_000;

/** Many viewers of one Desktop are served by one encoder, hardly later than one alone, and get their picture back when it dies. */
export async function measureFiftyViewers(ground: Ground): Promise<void> {
  const { figures } = ground;
  const [desktop] = ground.house.desktops;
  if (!desktop) throw new Error('a house was opened without a Desktop');

  const single = await view(ground, desktop);
  const one = percentile(await timeChanges(ground, new Map([[desktop, [single]]])), 0.95);
  await single.close();
  const clients = await Promise.all(Array.from({ length: many }, () => view(ground, desktop)));
  const before = streamerSeconds(ground);
  const all = percentile(await timeChanges(ground, new Map([[desktop, clients]])), 0.95);
  // Those of the other Desktops rest.
  const working = [...streamerSeconds(ground)].filter(
    ([pid, used]) => used - (before.get(pid) ?? 0) > 0.01 * ground.seconds,
  );
  figures.add('one viewer: draw → packet p95', one, 'ms');
  figures.add(`${many} viewers: draw → packet p95`, all, 'ms');
  figures.add(`${many} viewers / one, p95`, all / one, '×', { atMost: 1.5 });
  figures.add(`${many} viewers: streamers at work`, working.length, '', {
    atMost: 1,
    atLeast: 1,
  });
  figures.add(`${many} viewers: encodings of one picture`, encodingsOf(clients), '', { atMost: 1, atLeast: 1 });

  const back = await killStreamer(ground, clients);
  figures.add(`${many} viewers: those with a picture after the streamer was killed`, back.length, '', {
    atLeast: many,
  });
  figures.add(`${many} viewers: until the last has its picture back`, Math.max(...back) / 1000, 's', { atMost: 2 });
  await closeAll(clients);
}

function streamerSeconds({ house }: Ground): Map<number, number> {
  return new Map(house.processesOf('streamer').map((pid) => [pid, secondsOf(pid)]));
}

/** How many different ones of the same picture there were, at most, among all viewers. */
function encodingsOf(clients: readonly ProtocolClient[]): number {
  const hashes = new Map<number, Set<string>>();
  for (const client of clients)
    for (const [sequence, hash] of client.hashes) hashes.set(sequence, (hashes.get(sequence) ?? new Set()).add(hash));
  return Math.max(...[...hashes.values()].map((different) => different.size));
}

/** Milliseconds until each viewer had a keyframe of the next streamer. */
async function killStreamer({ house, painters }: Ground, clients: readonly ProtocolClient[]): Promise<number[]> {
  const [desktop] = house.desktops;
  if (!desktop) throw new Error('a house was opened without a Desktop');
  painters.get(desktop)?.start(10, () => {});
  await sleep(1000);
  const back = new Map<ProtocolClient, number>();
  let killedAt = Number.POSITIVE_INFINITY;
  for (const client of clients)
    client.onPicture((frame, at) => {
      if (frame.type === 'video' && frame.key && at > killedAt && !back.has(client)) back.set(client, at - killedAt);
    });
  for (const pid of house.processesOf('streamer')) process.kill(pid, 'SIGKILL');
  killedAt = performance.now();
  for (const deadline = killedAt + backWithinMs; back.size < clients.length && performance.now() < deadline; )
    await sleep(20);
  painters.get(desktop)?.stop();
  return [...back.values()];
}

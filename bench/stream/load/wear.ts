import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DesktopHouse } from '../desktop-house.ts';
import { closeAll, type Ground, view } from './ground.ts';

/** Flat is what the issue asks for; these are the limits that we read into the word. */
const flat = { rss: 1.1, descriptors: 5 };
const cycles = 100;

type Wear = { rss: number; descriptors: number };

/** A hundred viewers come and go, one after the other: nothing of them is left. */
export async function comeAndGo(ground: Ground): Promise<void> {
  const { figures, house } = ground;
  const [desktop] = house.desktops;
  if (!desktop) throw new Error('a house was opened without a Desktop');
  const cycle = async (times: number) => {
    for (let n = 0; n < times; n++) {
      const client = await view(ground, desktop);
      for (let waited = 0; client.pictures === 0 && waited < 5000; waited += 5) await sleep(5);
      if (client.pictures === 0) throw new Error(`viewer ${n} saw no picture within 5 s`);
      await client.close();
    }
  };
  // What is only made once is made now.
  await cycle(10);
  await sleep(2000);
  const before = wearOf(house);
  await cycle(cycles);
  await sleep(2000);
  judge(figures, `${cycles} viewers came and went`, before, wearOf(house));
}

/** Minutes of full motion with two viewers. What comes in the first fifth is warming up. */
export async function soak(ground: Ground, minutes: number): Promise<void> {
  const { figures, house, painters } = ground;
  const [desktop] = house.desktops;
  if (!desktop) throw new Error('a house was opened without a Desktop');
  const painter = painters.get(desktop);
  if (!painter) throw new Error('every Desktop has a painter');
  const clients = await Promise.all([view(ground, desktop), view(ground, desktop)]);
  painter.start(30, () => {});
  const samples: Map<string, Wear>[] = [];
  const count = 60;
  for (let n = 0; n < count; n++) {
    await sleep((minutes * 60_000) / count);
    samples.push(wearOf(house));
    if (n % 6 === 5) console.log(`    ${((n + 1) * minutes) / count} min: ${describe(samples.at(-1))}`);
  }
  painter.stop();
  const pictures = clients.map((client) => client.pictures / (minutes * 60));
  await closeAll(clients);
  figures.add(`${minutes} min of full motion: pictures at each viewer`, Math.min(...pictures), '/s');
  const fifth = count / 5;
  judge(figures, `${minutes} min of full motion`, mean(samples.slice(fifth, 2 * fifth)), mean(samples.slice(-fifth)));
}

/** Of the core, the host and what serves the first Desktop. */
function wearOf(house: DesktopHouse): Map<string, Wear> {
  return new Map(
    ['core', 'host', 'streamer', 'Xvfb'].flatMap((role) => {
      const [pid] = house.processesOf(role);
      if (pid === undefined) return [];
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
      return [[role, { rss, descriptors: readdirSync(`/proc/${pid}/fd`).length }] as const];
    }),
  );
}

function mean(samples: readonly Map<string, Wear>[]): Map<string, Wear> {
  const names = samples[0]?.keys() ?? [];
  const of = (name: string, value: (wear: Wear) => number) =>
    samples.reduce((sum, sample) => sum + value(sample.get(name) ?? { rss: Number.NaN, descriptors: Number.NaN }), 0) /
    samples.length;
  return new Map(
    [...names].map((name) => [
      name,
      { rss: of(name, ({ rss }) => rss), descriptors: of(name, (each) => each.descriptors) },
    ]),
  );
}

function judge(figures: Ground['figures'], what: string, before: Map<string, Wear>, after: Map<string, Wear>): void {
  console.log(`    before: ${describe(before)}`);
  console.log(`    after:  ${describe(after)}`);
  for (const [name, then] of before) {
    const now = after.get(name);
    const lost = { rss: Number.NaN, descriptors: Number.NaN };
    figures.add(`${what}: RSS of ${name}, after / before`, (now ?? lost).rss / then.rss, '×', { atMost: flat.rss });
    figures.add(`${what}: more descriptors in ${name}`, (now ?? lost).descriptors - then.descriptors, '', {
      atMost: flat.descriptors,
    });
  }
}

function describe(wear: Map<string, Wear> | undefined): string {
  return [...(wear ?? [])]
    .map(([name, { rss, descriptors }]) => `${name} ${rss.toFixed(0)} MiB, ${descriptors.toFixed(0)} fds`)
    .join(' · ');
}

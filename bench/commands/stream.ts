/**
 * `npm run bench -- stream [--json] [--quick]`: how a Desktop is shown, against TigerVNC with noVNC, in one run and with the same content:
 * the way from a drawing to the browser's canvas, bytes on the wire, CPU of the server with its X server, the first picture, pictures a
 * second; on this machine and over a line of 60 ms and 20 Mbit/s. `--quick`: one round with fewer samples.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createFigures, percentile } from '../figures.ts';
import { installProbe } from '../stream/canvas-probe.ts';
import { type Chromium, startChromium } from '../stream/chromium.ts';
import { startDrawer } from '../stream/drawer.ts';
import { startLink } from '../stream/link.ts';
import { missingPackages } from '../stream/missing-packages.ts';
import { startOurs } from '../stream/ours.ts';
import { startPeer } from '../stream/peer.ts';
import { screen } from '../stream/scenes.ts';
import { drawPages } from '../stream/still-pages.ts';
import {
  type Change,
  type Cost,
  leave,
  measureCost,
  measureLikeness,
  measureRest,
  open,
  type Scene,
  timeChanges,
  timeFirstFrames,
  type Watched,
} from '../stream/watched-side.ts';

const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } });
const size = options.quick
  ? { rounds: 1, samples: 20, firstFrames: 5, seconds: 5 }
  : { rounds: 2, samples: 30, firstFrames: 8, seconds: 10 };
const line = { roundTripMs: 60, bitsPerSecond: 20e6 };
const changes: Change[] = ['small', 'page', 'small during motion'];
const scenes: Scene[] = ['idle', 'clock', 'scrolling', 'video', 'motion'];

/** Of our own CPU, in % of a core. */
const cpuGoals: Partial<Record<Scene, number>> = { idle: 1, clock: 1, motion: 50 };

const missing = missingPackages();
if (missing.length > 0) {
  console.error(`what is compared is not all here: apt-get install -y --no-install-recommends ${missing.join(' ')}`);
  process.exit(1);
}

/** What was measured of one side, all rounds together. */
type Measured = {
  rest: number[];
  firstFrame: number[];
  changes: Map<Change, number[]>;
  costs: Map<Scene, Cost[]>;
  likeness: number[];
  farFirstFrame: number[];
  farChanges: Map<Change, number[]>;
};

const figures = createFigures();
await using cleanup = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'switchboard-bench-'));
cleanup.defer(() => rm(folder, { recursive: true, force: true }));
const chromium = cleanup.use(await startChromium(screen));
const pages = await drawPages(chromium, folder);
const theirs = await watch(await startPeer(folder), chromium);
const ours = await watch(await startOurs(), chromium);
console.log(
  `${chromium.version}, ${screen.width}×${screen.height}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)} at the start`,
);

const measured = new Map([theirs, ours].map((watched) => [watched, nothingYet()]));
for (let round = 0; round < size.rounds; round++)
  // Each is the first one once: what else the machine does is not the same all the time.
  for (const watched of round % 2 === 0 ? [theirs, ours] : [ours, theirs])
    await measure(watched, measured.get(watched) ?? nothingYet());
console.log(`load ${loadavg()[0]?.toFixed(1)} at the end`);
for (const { side } of [theirs, ours]) console.log(`${side.name}: ${side.about()}`);
report(measured.get(theirs) ?? nothingYet(), measured.get(ours) ?? nothingYet());
await cleanup.disposeAsync();
if (options.json) console.log(JSON.stringify(figures.all()));
process.exitCode = figures.met() ? 0 : 1;

async function watch(side: Watched['side'], browser: Chromium): Promise<Watched> {
  cleanup.use(side);
  const link = cleanup.use(await startLink(side.port));
  const drawer = cleanup.use(await startDrawer({ display: side.display, pages }));
  const tab = await browser.newPage();
  return { side, link, drawer, tab, probe: await installProbe(tab) };
}

function nothingYet(): Measured {
  return {
    rest: [],
    firstFrame: [],
    changes: new Map(changes.map((change) => [change, []])),
    costs: new Map(scenes.map((scene) => [scene, []])),
    likeness: [],
    farFirstFrame: [],
    farChanges: new Map(changes.map((change) => [change, []])),
  };
}

async function measure(watched: Watched, into: Measured): Promise<void> {
  await watched.tab.bringToFront();
  await leave(watched);
  into.rest.push(await measureRest(watched, size.seconds));
  await open(watched);
  into.firstFrame.push(...(await timeFirstFrames(watched, size.firstFrames)));
  for (const change of changes) into.changes.get(change)?.push(...(await timeChanges(watched, change, size.samples)));
  for (const scene of scenes) into.costs.get(scene)?.push(await measureCost(watched, scene, size.seconds));
  into.likeness.push(await measureLikeness(watched, pages[0] ?? '', 3000));
  watched.link.behaveLike(line);
  into.farFirstFrame.push(...(await timeFirstFrames(watched, Math.ceil(size.firstFrames / 2))));
  for (const change of changes)
    into.farChanges.get(change)?.push(...(await timeChanges(watched, change, size.samples)));
  watched.link.behaveLike(null);
  await leave(watched);
}

function report(peer: Measured, our: Measured): void {
  const both = [
    ['noVNC', peer],
    ['ours', our],
  ] as const;
  const times = (name: string, of: (measured: Measured) => number[], atMost?: number) => {
    for (const [who, each] of both)
      for (const [label, share] of [
        ['p50', 0.5],
        ['p95', 0.95],
      ] as const)
        figures.add(`${name}, ${who} ${label}`, percentile(of(each), share), 'ms');
    const ratio = (share: number) => percentile(of(our), share) / percentile(of(peer), share);
    figures.add(`${name}, ours / noVNC p50`, ratio(0.5), '×', { atMost });
    figures.add(`${name}, ours / noVNC p95`, ratio(0.95), '×');
  };
  times('first frame', ({ firstFrame }) => firstFrame, 0.8);
  times('200×200 change', (each) => each.changes.get('small') ?? [], 1);
  times('page flip', (each) => each.changes.get('page') ?? [], 0.7);
  times('200×200 during motion', (each) => each.changes.get('small during motion') ?? [], 1);

  for (const [who, { rest }] of both) figures.add(`nobody watches, ${who} CPU`, mean(rest) * 100, '% of a core');
  for (const scene of scenes) {
    const of = (each: Measured, value: (cost: Cost) => number) => mean((each.costs.get(scene) ?? []).map(value));
    for (const [who, each] of both) {
      const cpu = of(each, ({ allCores }) => allCores) * 100;
      figures.add(`${scene}, ${who} CPU`, cpu, '% of a core');
      for (const process of each.costs.get(scene)?.[0]?.cores.keys() ?? []) {
        const share = of(each, ({ cores }) => cores.get(process) ?? 0) * 100;
        if (share >= 0.1) console.log(`    of which ${process.padEnd(40)} ${share.toFixed(1)}`);
      }
      const more = cpu - mean(each.rest) * 100;
      const goal = who === 'ours' ? cpuGoals[scene] : undefined;
      figures.add(`${scene}, ${who} CPU, more than while nobody watches`, more, '% of a core', { atMost: goal });
      figures.add(`${scene}, ${who} bytes`, of(each, ({ bytesPerSecond }) => bytesPerSecond) / 1000, 'kB/s');
      const pictures = of(each, ({ picturesPerSecond }) => picturesPerSecond ?? Number.NaN);
      if (!Number.isNaN(pictures)) figures.add(`${scene}, ${who} pictures`, pictures, '/s');
    }
    if (scene === 'motion' || scene === 'video') {
      const bytes = (each: Measured) => of(each, ({ bytesPerSecond }) => bytesPerSecond);
      figures.add(
        `${scene} bytes, ours / noVNC`,
        bytes(our) / bytes(peer),
        '×',
        scene === 'motion' ? { atMost: 0.5 } : {},
      );
    }
  }
  for (const [who, each] of both) figures.add(`a page 3 s after it came, ${who}`, mean(each.likeness), 'dB PSNR');

  const far = `${line.roundTripMs} ms, ${line.bitsPerSecond / 1e6} Mbit/s`;
  times(`${far}: first frame`, ({ farFirstFrame }) => farFirstFrame);
  times(`${far}: 200×200 change`, (each) => each.farChanges.get('small') ?? []);
  times(`${far}: page flip`, (each) => each.farChanges.get('page') ?? []);
  times(`${far}: 200×200 during motion`, (each) => each.farChanges.get('small during motion') ?? [], 0.5);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

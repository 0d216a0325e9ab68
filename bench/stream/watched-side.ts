import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import type { CanvasProbe } from './canvas-probe.ts';
import type { Page } from './chromium.ts';
import type { Drawer } from './drawer.ts';
import type { Link } from './link.ts';
import { motion, page, screen, small, video } from './scenes.ts';
import { startCpuMeter } from './server-cpu.ts';
import type { Side } from './side.ts';

/** A change whose way from the drawing to the canvas is timed. */
export type Change = 'small' | 'page' | 'small during motion';
/** What goes on while bytes and CPU are counted. */
export type Scene = 'idle' | 'clock' | 'scrolling' | 'video' | 'motion';

/** What a scene cost, each second. */
export interface Cost {
  /** From the server to the browser. */
  bytesPerSecond: number;
  /** Of one core, 1 is all of it: by role of the process, and all of them. */
  cores: Map<string, number>;
  allCores: number;
  /** Pictures that reached the canvas; undefined where nothing tells them apart. */
  picturesPerSecond: number | undefined;
}

/** One side with what draws on its screen, the link to it and the page that shows it. */
export interface Watched {
  side: Side;
  drawer: Drawer;
  link: Link;
  tab: Page;
  probe: CanvasProbe;
}

/** What was drawn has arrived and nothing is on its way any more. */
const quietAfterMs = 800;

/** Milliseconds from the navigation to the first picture that is right, each time from another page. */
export async function timeFirstFrames(watched: Watched, times: number): Promise<number[]> {
  const { tab, drawer, probe } = watched;
  await drawer.draw({ draw: 'nothing' });
  const took: number[] = [];
  for (let n = 0; n < times; n++) {
    await leave(watched);
    const url = watched.side.pageUrl(watched.link.port);
    const began = performance.timeOrigin + performance.now();
    await tab.navigate(url);
    await probe.watch(page.spots, page.codes[0]);
    took.push((await probe.seen()) - began);
  }
  await sleep(quietAfterMs);
  return took;
}

/** Opens the page and waits for its picture. */
export async function open(watched: Watched): Promise<void> {
  await timeFirstFrames(watched, 1);
}

/** Shows nothing; the server sends nothing any more. */
export async function leave({ tab }: Watched): Promise<void> {
  await tab.navigate('about:blank');
  // A person who opens a page again takes as long; keyframes, which are made once a second at most, are not held back for it.
  await sleep(1200);
}

/** What the processes use while nobody watches, of one core. */
export async function measureRest({ side }: Watched, seconds: number): Promise<number> {
  const cpu = startCpuMeter(side);
  await sleep(seconds * 1000);
  return sumOf(cpu.used()) / seconds;
}

/** Milliseconds from the drawing to the canvas, at moments that follow no rhythm. */
export async function timeChanges({ drawer, probe }: Watched, change: Change, times: number): Promise<number[]> {
  await drawer.draw({ draw: 'nothing' });
  if (change === 'small during motion') await drawer.draw({ draw: 'motion' });
  await sleep(quietAfterMs);
  const took: number[] = [];
  for (let n = 1; n <= times; n++) {
    const [spots, code] = change === 'page' ? [page.spots, page.codes[n % 2] ?? 0] : [[small.spot], 1 + ((n * 3) % 7)];
    await probe.watch(spots, code);
    const drawn = await drawer.draw(change === 'page' ? { draw: 'page', page: n % 2 } : { draw: 'small', code });
    took.push((await probe.seen()) - drawn);
    await sleep(180 + Math.random() * 120);
  }
  await drawer.draw({ draw: 'nothing' });
  await sleep(quietAfterMs);
  return took;
}

/** What a scene costs over so many seconds, once it is under way. */
export async function measureCost(
  { side, drawer, link, probe }: Watched,
  scene: Scene,
  seconds: number,
): Promise<Cost> {
  await drawer.draw({ draw: scene === 'idle' ? 'nothing' : scene });
  await sleep(2000);
  const cpu = startCpuMeter(side);
  const bytes = link.bytesDown();
  const began = performance.now();
  let picturesPerSecond: number | undefined;
  if (scene === 'video' || scene === 'motion') {
    const counted = await probe.countChanges((scene === 'video' ? video : motion).spot, seconds * 1000);
    picturesPerSecond = (counted.changes * 1000) / counted.ms;
  } else await sleep(seconds * 1000);
  const took = (performance.now() - began) / 1000;
  const cores = new Map([...cpu.used()].map(([name, used]) => [name, used / took]));
  const bytesPerSecond = (link.bytesDown() - bytes) / took;
  await drawer.draw({ draw: 'nothing' });
  await sleep(quietAfterMs);
  return {
    bytesPerSecond,
    cores,
    allCores: sumOf(cores),
    picturesPerSecond,
  };
}

/**
 * How like the page that was drawn the canvas is, some time after a flip: peak signal-to-noise ratio in decibels, over all but the
 * markers' surroundings. Above 40 nobody sees a difference; infinite when there is none.
 */
export async function measureLikeness({ drawer, probe }: Watched, drawnPage: string, afterMs: number): Promise<number> {
  await drawer.draw({ draw: 'page', page: 1 });
  await sleep(afterMs);
  await drawer.draw({ draw: 'page', page: 0 });
  await sleep(afterMs);
  const pixels = (source: string | Buffer) => sharp(source).removeAlpha().raw().toBuffer();
  const [drawn, shown] = await Promise.all([pixels(drawnPage), pixels(await probe.still())]);
  if (drawn.length !== shown.length) return 0;
  let error = 0;
  let counted = 0;
  for (let y = 80; y < screen.height - 80; y++)
    for (let at = 3 * (y * screen.width + 80), end = 3 * (y * screen.width + 880); at < end; at++, counted++)
      error += ((drawn[at] ?? 0) - (shown[at] ?? 0)) ** 2;
  return 10 * Math.log10(255 ** 2 / (error / counted));
}

function sumOf(used: ReadonlyMap<string, number>): number {
  return [...used.values()].reduce((sum, each) => sum + each, 0);
}

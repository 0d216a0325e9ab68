/*
 * The program that draws on a screen what is asked for, run as a child process by drawer.ts. Everything is in the X server before it
 * starts, so that drawing is a copy there and costs nothing here.
 */
import { once } from 'node:events';
import sharp from 'sharp';
import { connectX } from '../../sandbox/x11/connect.ts';
import type { DrawnAt, DrawOrder, DrawSetup } from './drawer.ts';
import type { DrawingClient } from './drawing-client.ts';
import { filmPictures } from './moving-pictures.ts';
import { clock, colourOf, type Film, markerBoxes, motion, page, screen, scrolling, small, video } from './scenes.ts';
import { uploadPicture } from './upload-picture.ts';

const [setup] = (await once(process, 'message')) as [DrawSetup];
const x = await connectX(setup.display);
// npm x11 has these requests; the types of sandbox/x11 are of what a Desktop needs
const client = x.client as unknown as DrawingClient;
const pages: number[] = [];
const films = new Map<Film, number[]>();
let stopPlaying = () => {};

/** Covers the screen, above everything else. */
const canvas = openWindow({ x: 0, y: 0, ...screen }, x.root);
const pen = client.AllocID();
const font = client.AllocID();
client.OpenFont(font, 'fixed');
client.CreateGC(pen, canvas, textPen(0));
const patch = openWindow(small.box, canvas);
const film = openWindow(video.box, canvas);
const terminal = openWindow(scrolling.box, canvas);
const face = openWindow(clock.box, canvas);

for (const [n, path] of setup.pages.entries()) {
  const pixels = await sharp(path).removeAlpha().raw().toBuffer();
  const pixmap = uploadPicture(client, { root: x.root, pen }, toPixels(pixels), screen);
  for (const box of markerBoxes.page) fill(pixmap, box, page.codes[n] ?? 0);
  pages.push(pixmap);
}
for (const [of, turning, marker] of [
  [video, false, markerBoxes.video],
  [motion, true, markerBoxes.motion],
] as const) {
  const pixmaps: number[] = [];
  for (const pixels of filmPictures(of, turning)) {
    const pixmap = uploadPicture(client, { root: x.root, pen }, pixels, of.box);
    fill(pixmap, { ...marker, x: marker.x - of.box.x, y: marker.y - of.box.y }, pixmaps.length % 8);
    pixmaps.push(pixmap);
    await x.settled();
  }
  films.set(of, pixmaps);
}
client.MapWindow(canvas);
copy(pages[0], canvas, screen);
await x.settled();
process.on('message', (order: DrawOrder) => void obey(order));
process.on('disconnect', () => process.exit(0));
tell({ ready: true });

async function obey(order: DrawOrder): Promise<void> {
  const at = performance.timeOrigin + performance.now();
  switch (order.draw) {
    case 'page':
      copy(pages[order.page], canvas, screen);
      break;
    case 'small':
      client.MapWindow(patch);
      fill(patch, { x: 0, y: 0, ...sizeOf(small.box) }, order.code);
      break;
    case 'video':
      client.MapWindow(film);
      play(video, film);
      break;
    case 'motion':
      play(motion, canvas);
      break;
    case 'scrolling':
      client.MapWindow(terminal);
      scroll();
      break;
    case 'clock':
      client.MapWindow(face);
      tick();
      break;
    case 'nothing':
      stopPlaying();
      for (const window of [patch, film, terminal, face]) client.UnmapWindow(window);
      copy(pages[0], canvas, screen);
      break;
  }
  await x.settled();
  tell({ at });
}

/** At an even pace, whatever a timer is late by. */
function repeat(perSecond: number, step: (n: number) => void): void {
  stopPlaying();
  const began = performance.now();
  let n = 0;
  let timer: NodeJS.Timeout;
  const next = () => {
    step(n++);
    timer = setTimeout(next, Math.max(0, began + (n * 1000) / perSecond - performance.now()));
  };
  next();
  stopPlaying = () => clearTimeout(timer);
}

function play(of: Film, window: number): void {
  const pixmaps = films.get(of) ?? [];
  repeat(of.fps, (n) => copy(pixmaps[n % pixmaps.length], window, of.box));
}

function scroll(): void {
  const { box, lineHeight, linesPerSecond } = scrolling;
  fill(terminal, { x: 0, y: 0, ...sizeOf(box) }, 0);
  repeat(linesPerSecond, (n) => {
    client.CopyArea(terminal, terminal, pen, 0, lineHeight, 0, 0, box.width, box.height - lineHeight);
    client.ChangeGC(pen, textPen(0));
    const line = `${String(n).padStart(6)}  ${process.hrtime.bigint()} built core/streams/append-${(n * 7919) % 1000}.ts in ${(n * 31) % 97} ms, ${(n * 131) % 4096} bytes`;
    client.ImageText8(terminal, pen, 4, box.height - 3, line.padEnd(160));
  });
}

function tick(): void {
  repeat(1, () => {
    client.ChangeGC(pen, textPen(0));
    client.ImageText8(face, pen, 8, 16, new Date().toTimeString().slice(0, 8));
  });
}

function textPen(code: number) {
  return { foreground: 0xe8e8e8, background: pixelOf(code), font, graphicsExposures: 0 };
}

function openWindow(box: { x: number; y: number; width: number; height: number }, parent: number): number {
  const id = client.AllocID();
  client.CreateWindow(id, parent, box.x, box.y, box.width, box.height, 0, 0, 0, 0, {
    overrideRedirect: 1,
    backgroundPixel: pixelOf(0),
  });
  return id;
}

function fill(drawable: number, box: { x: number; y: number; width: number; height: number }, code: number): void {
  client.ChangeGC(pen, { foreground: pixelOf(code) });
  client.PolyFillRectangle(drawable, pen, [box.x, box.y, box.width, box.height]);
}

function copy(from: number | undefined, to: number, size: { width: number; height: number }): void {
  if (from === undefined) throw new Error('there is no such picture');
  client.CopyArea(from, to, pen, 0, 0, 0, 0, size.width, size.height);
}

/** Red, green, blue → blue, green, red, nothing. */
function toPixels(rgb: Buffer): Buffer {
  const pixels = Buffer.alloc((rgb.length / 3) * 4);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    pixels[to] = rgb[from + 2] ?? 0;
    pixels[to + 1] = rgb[from + 1] ?? 0;
    pixels[to + 2] = rgb[from] ?? 0;
  }
  return pixels;
}

function pixelOf(code: number): number {
  const { red, green, blue } = colourOf(code);
  return (red << 16) | (green << 8) | blue;
}

function sizeOf({ width, height }: { width: number; height: number }) {
  return { width, height };
}

function tell(what: DrawnAt | { ready: true }): void {
  process.send?.(what);
}

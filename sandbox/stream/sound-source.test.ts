import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pieceOfSound } from '../encode/sound-encoder.ts';
import { listenToSound, type SoundSource } from './sound-source.ts';

const piece = (value: number) => Buffer.alloc(pieceOfSound.bytes, value);

let folder: string;
let server: Server;
let programs: Socket[];
let source: SoundSource;
let heard: { samples: Buffer; ptsMicroseconds: bigint }[];
let lost: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sound-source-'));
  programs = [];
  server = createServer((socket) => void programs.push(socket.on('error', () => undefined)));
  server.listen(join(folder, 'S'));
  await once(server, 'listening');
  heard = [];
  lost = [];
  source = listenToSound(join(folder, 'S'), {
    heard: (samples, ptsMicroseconds) => heard.push({ samples, ptsMicroseconds }),
    lost: (why) => lost.push(why),
  });
  await expect.poll(() => programs.length).toBe(1);
});

afterEach(async () => {
  source.close();
  for (const socket of programs) socket.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

it('pieces are whole, however they arrive, and stamped as far apart as they were played', async () => {
  const before = performance.timeOrigin + performance.now();
  const bytes = Buffer.concat([1, 2, 3, 4].map(piece));
  for (let at = 0; at < bytes.length; at += 1000) programs[0]?.write(bytes.subarray(at, at + 1000));
  await expect.poll(() => heard.length).toBe(4);
  expect(heard.map(({ samples }) => samples)).toEqual([1, 2, 3, 4].map(piece));
  const stamps = heard.map(({ ptsMicroseconds }) => Number(ptsMicroseconds));
  expect(stamps.slice(1).map((at, index) => at - (stamps[index] ?? 0))).toEqual([20_000, 20_000, 20_000]);
  // They may all have arrived at once, and then began 80 ms before that.
  expect((stamps[0] ?? 0) / 1000).toBeGreaterThan(before - 100);
  expect((stamps[0] ?? 0) / 1000).toBeLessThan(performance.timeOrigin + performance.now());
});

it('stamps begin anew after a time in which nothing came', async () => {
  programs[0]?.write(piece(1));
  await expect.poll(() => heard.length).toBe(1);
  await sleep(300);
  programs[0]?.write(piece(2));
  await expect.poll(() => heard.length).toBe(2);
  const [first, second] = heard.map(({ ptsMicroseconds }) => Number(ptsMicroseconds));
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(250_000);
});

it('a program that sends more than can have been played is made to wait', async () => {
  const flood = Buffer.alloc(64 * 1024, 7);
  const more = () => {
    while (programs[0]?.writable && programs[0].write(flood));
  };
  programs[0]?.on('drain', more);
  const from = performance.now();
  more();
  for (let n = 0; n < 100; n++) await sleep(pieceOfSound.milliseconds);
  const played = (performance.now() - from) / pieceOfSound.milliseconds;
  // Half a second may have been waiting, and one read holds a third of a second.
  expect(heard.length).toBeGreaterThan(90);
  expect(heard.length).toBeLessThan(played + 60);
});

it('a connection that is lost is tried again, and that is told once', async () => {
  programs[0]?.destroy();
  await expect.poll(() => lost.length).toBe(1);
  await expect.poll(() => programs.length).toBe(2);
  programs[1]?.destroy();
  await expect.poll(() => programs.length).toBe(3);
  programs[2]?.write(piece(5));
  await expect.poll(() => heard.length).toBe(1);
  expect(lost).toHaveLength(1);
});

it('nothing is tried again once it is closed', async () => {
  source.close();
  await expect.poll(() => programs[0]?.closed || programs[0]?.readableEnded || programs[0]?.destroyed).toBe(true);
  await sleep(1200);
  expect([programs.length, lost]).toEqual([1, []]);
});

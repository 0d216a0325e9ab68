import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Driver } from '../drivers/driver.ts';
import { makeFolders, type TestFolders } from '../drivers/testing/test-sandbox.ts';
import { triedDrivers } from '../drivers/testing/working-drivers.ts';
import { createUnisolatedDriver } from '../drivers/unisolated-driver.ts';
import { loadNodeAv, type NodeAv, nodeAvMissing } from '../encode/node-av.ts';
import { wish } from '../host/testing/host-house.ts';
import type { AudioFrame } from '../protocol.ts';
import { startStreamer } from '../stream/start-streamer.ts';
import { type LocalCore, startLocalCore } from '../stream/testing/local-core.ts';
import { missingPackages } from '../system-packages.mjs';
import { decodeSound, pitchOf, toneOf } from '../testing/tone.ts';
import { type Desktop, startDesktop } from './desktop.ts';

const execute = promisify(execFile);
const av = await loadNodeAv();

/** A Desktop with a tone in its home, and what it has logged. */
interface Heard extends AsyncDisposable {
  desktop: Desktop;
  folders: TestFolders;
  logged: string[];
}

async function startHeard(driver: Driver, sound = true): Promise<Heard> {
  await using undo = new AsyncDisposableStack();
  const folders = undo.use(await makeFolders());
  const recordings = await mkdtemp(join(tmpdir(), 'recordings-'));
  undo.defer(() => rm(recordings, { recursive: true }));
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => void logged.push(line) });
  const desktop = await startDesktop(
    { driver, startStreamer, encoders: { names: ['libx264'], remote: null }, fps: 30, sound, log },
    wish(`d-${randomUUID().slice(0, 8)}`, 1, { limits: folders.request().limits }),
    { home: folders.home, runtime: folders.runtime, recordings, removeRuntime: async () => undefined },
    { changed: () => undefined, control: () => undefined },
  );
  undo.defer(() => desktop.stop());
  await desktop.writeFile('tone.raw', toneOf(440, 1));
  const made = undo.move();
  return { desktop, folders, logged, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

const play = 'pacat --raw --format=s16le --rate=48000 --channels=2 tone.raw';
const inside = async ({ desktop }: Heard, command: string) =>
  (await desktop.run({ command, timeoutMs: 15_000, outputBytes: 100_000 })).stdout.trim();
/** Waits until what is played from now on is heard. */
const recording = (heard: Heard) =>
  expect.poll(() => inside(heard, 'pactl list short source-outputs | wc -l')).toBe('1');
const recorders = (heard: Heard) => inside(heard, `ps -eo args | grep "^pare[c]" | grep -c "$PULSE_SERVER"`);

async function pitch(lib: NodeAv, packets: readonly AudioFrame[]): Promise<number | null> {
  return pitchOf(await decodeSound(lib, packets));
}

const drivers = await Promise.all(
  [
    ...(await triedDrivers()),
    { driver: createUnisolatedDriver({ owner: `test-${randomUUID().slice(0, 8)}` }), report: null },
  ].map(async ({ driver, report }) => {
    const reports = [report ?? (await driver.probe()), await driver.probeSound()];
    if (missingPackages().length > 0 && driver.name === 'unisolated')
      reports.push({ name: 'packages', works: false, detail: `missing: ${missingPackages().join(' ')}` });
    const why = av ? reports.find(({ works }) => !works)?.detail : nodeAvMissing;
    return { driver, why };
  }),
);

for (const { driver, why } of drivers)
  describe.skipIf(why !== undefined)(
    `the sound of a Desktop of the driver "${driver.name}" (${why ?? 'works'})`,
    () => {
      let lib: NodeAv;
      let core: LocalCore;
      let heard: Heard;

      beforeAll(async () => {
        if (!av) throw new Error(nodeAvMissing);
        lib = av;
        core = await startLocalCore();
        heard = await startHeard(driver);
      });
      afterAll(async () => {
        await heard?.[Symbol.asyncDispose]();
        await core?.[Symbol.asyncDispose]();
      });

      it('reaches who has switched it on, as Opus on the clock of the picture, and nobody else', async () => {
        const [listener, watcher] = [await core.join(heard.desktop), await core.join(heard.desktop)];
        expect(await listener.next('sound')).toEqual({ type: 'sound', enabled: false });
        listener.say({ type: 'set_sound_enabled', enabled: true });
        expect(await listener.next('sound')).toEqual({ type: 'sound', enabled: true });
        await recording(heard);
        const now = () => performance.timeOrigin + performance.now();
        const begun = now();
        const played = inside(heard, play);
        await listener.packetsReach(1);
        const come = now();
        await played;
        await listener.packetsReach(45);
        expect(await pitch(lib, listener.packets)).toBeCloseTo(440, -1);
        const times = listener.packets.map(({ ptsMicroseconds }) => Number(ptsMicroseconds));
        const [first = 0] = times;
        expect(first / 1000 - begun).toBeGreaterThan(-20);
        expect(first / 1000 - come).toBeLessThan(20);
        // More only after a moment in which the machine was busy.
        const steps = times.slice(1).map((time, before) => time - (times[before] ?? 0));
        expect(Math.min(...steps)).toBe(20_000);
        expect(steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)]).toBe(20_000);
        expect(watcher.packets).toEqual([]);
        await core.empty();
      });

      it('is not sent while the Desktop is silent', async () => {
        const listener = await core.join(heard.desktop);
        listener.say({ type: 'set_sound_enabled', enabled: true });
        await sleep(1000);
        expect(listener.packets).toEqual([]);
        await inside(heard, play);
        await listener.packetsReach(46);
        const comeInHalfASecond = async () => {
          const before = listener.packets.length;
          await sleep(500);
          return listener.packets.length - before;
        };
        await expect.poll(comeInHalfASecond).toBe(0);
        // After the second of it there are 300 ms in which it fades out, and what it takes to end.
        const sound = await decodeSound(lib, listener.packets);
        const silent = sound.length - 1 - sound.findLastIndex((value) => Math.abs(value) > 0.1);
        expect(silent / 48_000).toBeLessThan(0.6);
        await core.empty();
      });

      it('is recorded once for all who listen, and not at all when nobody does', async () => {
        const [first, second] = [await core.join(heard.desktop), await core.join(heard.desktop)];
        await expect.poll(() => recorders(heard)).toBe('0');
        for (const each of [first, second]) each.say({ type: 'set_sound_enabled', enabled: true });
        await recording(heard);
        await inside(heard, play);
        expect(await recorders(heard)).toBe('1');
        await Promise.all([first.packetsReach(45), second.packetsReach(45)]);
        expect(second.packets.slice(0, 40)).toEqual(first.packets.slice(0, 40));
        first.say({ type: 'set_sound_enabled', enabled: false });
        await second.leave();
        await expect.poll(() => recorders(heard)).toBe('0');
        const before = first.packets.length;
        await inside(heard, play);
        expect(first.packets).toHaveLength(before);
        await core.empty();
      });

      it('is left out for a viewer that is behind with the picture', async () => {
        const late = await core.join(heard.desktop, { acknowledges: false });
        const well = await core.join(heard.desktop);
        await late.framesReach(1);
        for (const each of [late, well]) each.say({ type: 'set_sound_enabled', enabled: true });
        await sleep(500);
        await recording(heard);
        await inside(heard, play);
        await well.packetsReach(45);
        expect(late.packets).toEqual([]);
        await core.empty();
      });

      it('is there again after its server was killed, which is told once', async () => {
        const listener = await core.join(heard.desktop);
        listener.say({ type: 'set_sound_enabled', enabled: true });
        await recording(heard);
        await inside(heard, `${play} &`);
        await listener.packetsReach(1);
        await inside(heard, `pkill -KILL -f 'pulseaudio.*'"$\{PULSE_SERVER#unix:}"`);
        const before = listener.packets.length;
        await expect
          .poll(async () => (await inside(heard, `${play}; true`)) === '' && listener.packets.length > before + 40, {
            timeout: 12_000,
          })
          .toBe(true);
        expect(heard.logged.filter((line) => line.includes('the sound has stopped'))).toHaveLength(1);
        await core.empty();
      });

      it('comes from the socket that there was at first, whatever programs put in its place', async () => {
        const before = heard.logged.length;
        await inside(heard, 'cd "$(dirname "$' + '{PULSE_SERVER#unix:}")" && mv sound aside && ln -s /run/other sound');
        const listener = await core.join(heard.desktop);
        listener.say({ type: 'set_sound_enabled', enabled: true });
        await recording(heard);
        await inside(heard, play);
        await listener.packetsReach(45);
        expect(heard.logged.slice(before)).toEqual([]);
        await core.empty();
      });
    },
  );

const isolated = drivers.filter(({ driver }) => driver.name !== 'unisolated');
for (const { driver, why } of isolated)
  describe.skipIf(why !== undefined)(`the sound server of the driver "${driver.name}" (${why ?? 'works'})`, () => {
    it('is reached by its own Desktop only', async () => {
      await using one = await startHeard(driver);
      await using other = await startHeard(driver);
      const paths = ['x11/pulse', 'x11/sound', 'S'].map((name) => join(one.folders.runtime, name));
      for (const path of paths)
        expect(await inside(other, `pactl --server=unix:${path} info || echo none`)).toBe('none');
      // The same name leads each to its own.
      const cookie = (heard: Heard) => inside(heard, 'pactl info | grep Cookie');
      expect(await cookie(one)).not.toBe(await cookie(other));
      // Nor does another user of this host get in, who as root could reach the socket; the kernel says who asks.
      if (process.getuid?.() === 0)
        await expect(execute('pactl', [`--server=unix:${paths[0]}`, 'info'])).rejects.toThrow(/failure/i);
    });

    it('has no device of the host, opens nothing on the network, and loads nothing that it is asked to', async () => {
      await using heard = await startHeard(driver);
      expect(await inside(heard, 'pactl list short sinks | cut -f2; pactl list short sources | cut -f2')).toBe(
        'desktop\ndesktop.monitor',
      );
      expect(await inside(heard, 'pactl list short modules | cut -f2')).toBe(
        'module-null-sink\nmodule-suspend-on-idle\nmodule-native-protocol-unix',
      );
      const load = 'pactl load-module module-native-protocol-tcp || echo refused; pactl exit; pactl info | wc -l';
      expect((await inside(heard, load)).replace(/\d+$/, '')).toBe('refused\n');
      expect(await inside(heard, 'cat /proc/net/tcp | wc -l')).toBe('1');
    });
  });

const plain = drivers.find(({ driver, why }) => why === undefined && driver.name === 'unisolated');
describe.skipIf(!plain)('a Desktop', () => {
  async function commandLines(part: string): Promise<string[]> {
    const found: string[] = [];
    for (const name of await readdir('/proc')) {
      const line = /^\d+$/.test(name) ? await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '') : '';
      if (line.includes(part)) found.push(line);
    }
    return found;
  }

  it('ends with its sound server', async () => {
    if (!plain) throw new Error('skipped');
    const heard = await startHeard(plain.driver);
    const { runtime } = heard.folders;
    expect((await commandLines(`socket=${runtime}`)).length).toBe(1);
    await heard[Symbol.asyncDispose]();
    expect(await commandLines(runtime)).toEqual([]);
  });

  it('has no sound unless the host is to have it: no process, no variable, no word to viewers', async () => {
    if (!plain) throw new Error('skipped');
    await using core = await startLocalCore();
    await using silent = await startHeard(plain.driver, false);
    expect(await commandLines(`socket=${silent.folders.runtime}`)).toEqual([]);
    expect(await inside(silent, `echo "$PULSE_SERVER"; ls ${silent.folders.runtime}/x11`)).toBe('');
    const viewer = await core.join(silent.desktop);
    await viewer.framesReach(1);
    expect(viewer.messages.some(({ type }) => type === 'sound')).toBe(false);
    viewer.say({ type: 'set_sound_enabled', enabled: true });
    expect(await viewer.next('error')).toMatchObject({ code: 'bad_frame', message: 'this desktop has no sound' });
  });

  it('runs without sound where its sound server does not start, and says why', async () => {
    if (!plain) throw new Error('skipped');
    const before = process.env.PATH;
    const folder = await mkdtemp(join(tmpdir(), 'no-pulseaudio-'));
    await writeFile(join(folder, 'pulseaudio'), '#!/bin/sh\necho "no sink today" >&2\nexit 1\n', { mode: 0o755 });
    process.env.PATH = `${folder}:${before}`;
    try {
      await using silent = await startHeard(plain.driver);
      expect(silent.logged).toHaveLength(1);
      expect(silent.logged[0]).toMatch(/PulseAudio has ended: no sink today.*this Desktop has no sound/);
      expect(await inside(silent, 'echo "$PULSE_SERVER"')).toBe('');
    } finally {
      process.env.PATH = before;
      await rm(folder, { recursive: true });
    }
  });
});

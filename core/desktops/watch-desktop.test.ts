import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { secondsGiven } from '../dispatch/testing/seconds-given.ts';
import type { DesktopId } from '../store/ids.ts';
import { stopDesktop } from './stop-desktop.ts';
import { type DesktopHouse, type HouseCore, openDesktopHouse } from './testing/desktop-house.ts';
import type { StandInHost, StandInViewer } from './testing/stand-in-host.ts';
import { openViewer } from './testing/viewer.ts';
import { makeLink } from './viewer-links.ts';

let house: DesktopHouse;
let second: HouseCore;
let host: StandInHost;
beforeAll(async () => {
  house = await openDesktopHouse();
  second = await house.addCore();
  host = await house.addHost({ capacity: 20 });
});
afterAll(() => house[Symbol.asyncDispose]());

const watch = (desktop: DesktopId) =>
  makeLink(house.core, { organisation: 'default', desktop, mode: 'watch', subject: null });
const atHost = (desktop: DesktopId) =>
  eventually(async () => host.viewers.findLast((one) => one.desktop === desktop && one.socket.readyState === 1));

describe('watching a desktop', () => {
  it('goes from the link to the frames of its host, and back', async () => {
    const desktop = await house.running();
    const begun = performance.now();
    const viewer = await openViewer(house.url, await watch(desktop.id));
    expect(await viewer.heard('hello')).toMatchObject({ desktop: desktop.id, mode: 'watch' });
    await eventually(async () => viewer.frames.length > 0);
    expect(performance.now() - begun).toBeLessThan(10_000);
    const other = await atHost(desktop.id);
    expect(other.person).toMatchObject({ subject: null, name: 'Somebody with the link', mode: 'watch' });
    viewer.socket.send(Buffer.from([0x20, 0, 0, 0, 1]));
    viewer.socket.send('{"type":"ping","t":1}');
    await eventually(async () => other.received.length === 2);
    expect(other.received).toEqual([Buffer.from([0x20, 0, 0, 0, 1]), '{"type":"ping","t":1}']);
    viewer.socket.close();
    await eventually(async () => other.socket.readyState === WebSocket.CLOSED);
  });

  it('works at a core process that the host has not dialled', async () => {
    const desktop = await house.running();
    const begun = performance.now();
    const viewer = await openViewer(second.url, await watch(desktop.id));
    await viewer.heard('hello');
    expect(performance.now() - begun).toBeLessThan(10_000);
    viewer.socket.close();
  });

  it('begins as soon as a desktop runs that was still starting', async () => {
    const slow = await openDesktopHouse();
    try {
      const starting = await slow.addHost({ becomes: () => ({ state: 'starting' }) });
      const { ensureDesktop } = await import('./ensure-desktop.ts');
      const desktop = await ensureDesktop(slow.core, {
        organisation: 'default',
        worker: 'w-assistant',
        thread: await slow.thread(),
      });
      const link = await makeLink(slow.core, {
        organisation: 'default',
        desktop: desktop.id,
        mode: 'watch',
        subject: null,
      });
      const viewer = await openViewer(slow.url, link);
      await eventually(async () => starting.desired().length > 0);
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(viewer.messages).toEqual([]);
      starting.send({
        type: 'desktop',
        id: desktop.id,
        generation: 1,
        state: 'running',
        detail: '',
        driver: 'process',
        width: 800,
        height: 600,
        viewers: 0,
      });
      await viewer.heard('hello');
    } finally {
      await slow[Symbol.asyncDispose]();
    }
  });

  it('goes on when the streamer dies: the same connection gets a second hello', async () => {
    const desktop = await house.running();
    const viewer = await openViewer(house.url, await watch(desktop.id));
    await viewer.heard('hello');
    const begun = performance.now();
    (await atHost(desktop.id)).socket.terminate();
    await eventually(async () => viewer.messages.filter(({ type }) => type === 'hello').length === 2);
    expect(performance.now() - begun).toBeLessThan(10_000);
    viewer.socket.send('{"type":"ping","t":2}');
    const now = await atHost(desktop.id);
    await eventually(async () => now.received.length === 1);
    viewer.socket.close();
  });

  it('ends within two seconds when the desktop is stopped, in whatever process, and says so', async () => {
    const desktop = await house.running();
    const viewers = await Promise.all(
      [house.url, second.url].map(async (url) => openViewer(url, await watch(desktop.id))),
    );
    await Promise.all(viewers.map((viewer) => viewer.heard('hello')));
    using given = secondsGiven();
    await stopDesktop(house.core, 'default', desktop.id, 'it was stopped');
    for (const viewer of viewers) {
      expect(await viewer.heard('error')).toMatchObject({
        code: 'stopped',
        message: expect.stringContaining("Assistant's desktop has stopped"),
      });
      await viewer.closed;
    }
    expect(given.passed()).toBeLessThan(2);
  });

  it('a viewer that takes nothing makes its own host side wait, and nobody else', async () => {
    const desktop = await house.running();
    const slow = await openViewer(house.url, await watch(desktop.id));
    await slow.heard('hello');
    const slowAtHost = await atHost(desktop.id);
    const fast = await openViewer(house.url, await watch(desktop.id));
    await fast.heard('hello');
    const fastAtHost = await atHost(desktop.id);
    slow.socket.pause();
    const frame = Buffer.alloc(256 * 1024, 1);
    for (let n = 0; n < 200; n++) slowAtHost.socket.send(frame);
    fastAtHost.socket.send(frame);
    await eventually(async () => fast.frames.some((one) => one.byteLength === frame.byteLength));
    // 50 MB are under way; what this process holds of them is bounded, the rest waits at the host.
    await eventually(async () => slowAtHost.socket.bufferedAmount > 10 * frame.byteLength);
    slow.socket.resume();
    await eventually(async () => slow.frames.filter((one) => one.byteLength === frame.byteLength).length === 200);
    slow.socket.close();
    fast.socket.close();
  });

  it('says who it is to the others: a person by name, with the mode of the link', async () => {
    const desktop = await house.running();
    const viewer = await openViewer(
      house.url,
      await makeLink(house.core, { organisation: 'default', desktop: desktop.id, mode: 'control', subject: 'w-owner' }),
    );
    await viewer.heard('hello');
    const { person }: StandInViewer = await atHost(desktop.id);
    expect(person).toMatchObject({ subject: 'w-owner', name: 'Owner', mode: 'control' });
    viewer.socket.close();
  });
});

describe('a connection to the viewer endpoint', () => {
  it('that says something else first is refused at once', async () => {
    const desktop = await house.running();
    const viewer = await openViewer(house.url, `${house.url}/d/${desktop.id}`, { token: null });
    using given = secondsGiven();
    viewer.socket.send('{"type":"ping","t":1}');
    expect(await viewer.heard('error')).toMatchObject({ code: 'unauthorised' });
    expect(given.passed()).toBeLessThan(2);
    await viewer.closed;
  });

  it('that says nothing is ended after five seconds', async () => {
    const desktop = await house.running();
    const viewer = await openViewer(house.url, `${house.url}/d/${desktop.id}`, { token: null });
    expect(await viewer.heard('error', 15_000)).toMatchObject({ code: 'unauthorised' });
    await viewer.closed;
  });
});

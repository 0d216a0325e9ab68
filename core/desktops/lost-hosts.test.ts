import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import type { HostId } from '../store/ids.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import { openViewer } from './testing/viewer.ts';
import { makeLink } from './viewer-links.ts';

let house: DesktopHouse;
beforeEach(async () => {
  house = await openDesktopHouse();
});
afterEach(() => house[Symbol.asyncDispose]());

/** As if it had been silent for so long, by the database's clock. */
const silence = (host: string, seconds: number) =>
  house.core.database.query('update host set last_seen_at = now() - make_interval(secs => $2) where id = $1', [
    host,
    seconds,
  ]);

describe('a host that is killed', () => {
  it('loses its desktops to another one as the next generation, and their threads are told', async () => {
    const lost = await house.addHost({ host: 'h-first' });
    const thread = await house.thread();
    const desktop = await house.running(thread);
    expect(desktop.host).toBe('h-first');
    const spare = await house.addHost({ host: 'h-spare' });
    const viewer = await openViewer(
      house.url,
      await makeLink(house.core, { organisation: 'default', desktop: desktop.id, mode: 'watch', subject: null }),
    );
    await viewer.heard('hello');
    lost.kill();
    await silence('h-first', 31);
    const moved = await eventually(async () => {
      const now = await house.desktop(desktop.id);
      return now.host === 'h-spare' && now.state === 'running' && now;
    }, 8000);
    expect(moved).toMatchObject({ generation: desktop.generation + 1, id: desktop.id });
    expect(spare.desired()).toMatchObject([{ id: desktop.id, home: desktop.id }]);
    expect(await house.notices(thread)).toEqual([
      "Assistant's desktop was started anew: the host that it ran on was lost. What was open is gone; its files are kept.",
    ]);
    // The viewer's own connection has stayed, and shows the new one.
    await eventually(async () => viewer.messages.filter(({ type }) => type === 'hello').length === 2);
    expect(viewer.socket.readyState).toBe(viewer.socket.OPEN);
  });

  it('and no other has room: the desktop stops, and its thread is told with the counts', async () => {
    const thread = await house.thread();
    const lost = await house.addHost({ host: 'h-first', capacity: 1 });
    const desktop = await house.running(thread);
    await house.addHost({ host: 'h-full', capacity: 0 });
    lost.kill();
    await silence('h-first', 31);
    await eventually(async () => (await house.desktop(desktop.id)).desired === 'stopped', 8000);
    const [said] = await house.notices(thread);
    expect(said).toContain("Assistant's desktop has stopped: the host that it ran on was lost");
    expect(said).toContain('0 of 0 desktops are running');
    expect(said).toContain('say `desktop` to start it again');
  });

  it('but not by a core that has just come back itself: the hosts need some seconds to be heard', async () => {
    const patient = await openDesktopHouse({ graceMs: 30_000 });
    try {
      const host = await patient.addHost();
      const desktop = await patient.running();
      host.kill();
      await patient.core.database.query(`update host set last_seen_at = now() - interval '1 hour'`);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(await patient.desktop(desktop.id)).toMatchObject({ desired: 'running', host: 'h-one' });
    } finally {
      await patient[Symbol.asyncDispose]();
    }
  });

  it('and comes back in time keeps them: it is told to run them again', async () => {
    const host = await house.addHost();
    const desktop = await house.running();
    host.kill();
    const back = await house.addHost();
    await eventually(async () => back.desired().length === 1);
    expect(back.desired()).toMatchObject([{ id: desktop.id, generation: desktop.generation }]);
    expect((await house.desktop(desktop.id)).generation).toBe(desktop.generation);
  });
});

describe('a desktop that ends by itself', () => {
  it('is started anew when it had run for a while', async () => {
    const host = await house.addHost();
    const thread = await house.thread();
    const desktop = await house.running(thread);
    await house.core.database.query(`update desktop set started_at = now() - interval '10 minutes'`);
    host.send({ ...reportOf(desktop), state: 'failed', detail: 'the X server died' });
    await eventually(async () => {
      const { state, generation } = await house.desktop(desktop.id);
      return state === 'running' && generation === desktop.generation + 1;
    });
    expect((await house.notices(thread))[0]).toContain('started anew: the X server died.');
  });

  it('is given up when it would only end again, and the thread is told', async () => {
    const host = await house.addHost();
    const thread = await house.thread();
    const desktop = await house.running(thread);
    host.send({ ...reportOf(desktop), state: 'failed', detail: 'the X server died' });
    const failed = await eventually(async () => {
      const now = await house.desktop(desktop.id);
      return now.state === 'failed' && now;
    });
    expect(failed).toMatchObject({ desired: 'stopped', detail: 'the X server died' });
    expect((await house.notices(thread))[0]).toContain("Assistant's desktop has stopped: the X server died.");
  });

  it('and what an earlier host or generation says of it does not count', async () => {
    const host = await house.addHost();
    const stranger = await house.addHost({ host: 'h-stranger' });
    const desktop = await house.running();
    const told = { ...reportOf(desktop), state: 'failed', detail: 'x' } as const;
    host.send({ ...told, generation: desktop.generation - 1 });
    stranger.send(told);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await house.desktop(desktop.id)).state).toBe('running');
  });
});

function reportOf(desktop: { id: `d-${string}`; generation: number; host: HostId | null }) {
  return {
    type: 'desktop' as const,
    id: desktop.id,
    generation: desktop.generation,
    driver: 'process',
    width: 1920,
    height: 1080,
    viewers: 0,
  };
}

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { ensureDesktop } from './ensure-desktop.ts';
import { stopDesktop } from './stop-desktop.ts';
import { stopIdleDesktops } from './stop-idle.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';

let house: DesktopHouse;
beforeEach(async () => {
  house = await openDesktopHouse({ settings: { DESKTOPS_PER_ORGANISATION: 3 } });
});
afterEach(() => house[Symbol.asyncDispose]());

const ensure = async (thread?: `t-${string}`) =>
  await ensureDesktop(house.core, {
    organisation: 'default',
    worker: 'w-assistant',
    thread: thread ?? (await house.thread()),
  });

describe('a desktop that is wanted', () => {
  it('runs on a host with what the settings say, and is the same one for everybody who wants it', async () => {
    const host = await house.addHost();
    const thread = await house.thread();
    const [one, two] = await Promise.all([ensure(thread), ensure(thread)]);
    expect(two?.id).toBe(one?.id);
    await eventually(async () => host.desired().length === 1);
    expect(host.desired()).toEqual([
      {
        id: one?.id,
        generation: 1,
        home: one?.id,
        width: 1920,
        height: 1080,
        network: [],
        limits: { memoryBytes: 2 * 1024 ** 3, cpus: 2, processes: 512, diskBytes: 5 * 1024 ** 3 },
        recording: null,
      },
    ]);
  });

  it('is refused without a host, saying what to do, and nothing is left of it', async () => {
    await expect(ensure()).rejects.toThrow('no sandbox host is connected, so that no desktop can run: start one');
    expect(await house.core.database.query('select 1 from desktop')).toEqual([]);
  });

  it('is refused by a host that isolates nothing, in the words of that host', async () => {
    await house.addHost({ drivers: [{ name: 'process', works: false, detail: 'bwrap is not installed' }] });
    await expect(ensure()).rejects.toThrow('the sandbox host cannot run desktops: bwrap is not installed');
  });

  it('is refused with the counts when the hosts are full, and has room again when one stops', async () => {
    await house.addHost({ host: 'h-a', capacity: 1 });
    await house.addHost({ host: 'h-b', capacity: 1 });
    const first = await ensure();
    const second = await ensure();
    expect(new Set([first.host, second.host])).toEqual(new Set(['h-a', 'h-b']));
    await expect(ensure()).rejects.toThrow('2 of 2 desktops are running: stop one');
    await stopDesktop(house.core, 'default', first.id, '');
    expect((await ensure()).host).toBe(first.host);
  });

  it('is refused with the counts at the limit of its organisation', async () => {
    await house.addHost({ capacity: 10 });
    for (let n = 0; n < 3; n++) await ensure();
    await expect(ensure()).rejects.toMatchObject({
      code: 'desktops_full',
      message: expect.stringContaining('3 of 3 desktops are running'),
    });
  });

  it('is never placed twice on the last room, however many ask at once in several processes', async () => {
    await house.addHost({ capacity: 2 });
    const second = await house.addCore();
    const threads = await Promise.all(Array.from({ length: 6 }, () => house.thread()));
    const outcomes = await Promise.allSettled(
      threads.map((thread, n) =>
        ensureDesktop(n % 2 === 0 ? house.core : second.core, {
          organisation: 'default',
          worker: 'w-assistant',
          thread,
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  it('that was stopped starts again with the same id and home, where it was', async () => {
    await house.addHost({ host: 'h-a' });
    const thread = await house.thread();
    const before = await ensure(thread);
    await house.addHost({ host: 'h-b', capacity: 100 });
    expect(await stopDesktop(house.core, 'default', before.id, '')).toBe(true);
    expect(await stopDesktop(house.core, 'default', before.id, '')).toBe(false);
    const after = await ensure(thread);
    expect(after).toMatchObject({ id: before.id, host: 'h-a', generation: 2 });
  });
});

describe('an idle desktop', () => {
  const longAgo = () => house.core.database.query(`update desktop set last_used_at = now() - interval '31 minutes'`);

  it('stops after half an hour, and its host is told', async () => {
    const host = await house.addHost();
    const desktop = await house.running();
    expect(await stopIdleDesktops(house.core)).toEqual([]);
    await longAgo();
    expect(await stopIdleDesktops(house.core)).toEqual([desktop.id]);
    await eventually(async () => host.desired().length === 0);
    expect(await house.desktop(desktop.id)).toMatchObject({ state: 'stopped', detail: 'nobody used it' });
  });

  it('stops at once when its agent was dismissed or its thread closed', async () => {
    await house.addHost();
    const closed = await house.running();
    const kept = await house.running();
    await house.core.database.query('update thread set closed_at = now() where id = $1', [closed.thread]);
    expect(await stopIdleDesktops(house.core)).toEqual([closed.id]);
    await house.core.database.query(`update worker set dismissed_at = now() where id = 'w-assistant'`);
    expect(await stopIdleDesktops(house.core)).toEqual([kept.id]);
  });

  it('stays while somebody watches, or its agent is at work', async () => {
    const host = await house.addHost();
    const watched = await house.running();
    const used = await house.running();
    host.send({
      type: 'desktop',
      id: watched.id,
      generation: 1,
      state: 'running',
      detail: '',
      driver: 'process',
      width: 1920,
      height: 1080,
      viewers: 1,
    });
    await house.core.database.query(
      `insert into activation (organisation, id, worker, stream, thread, origin) values ('default', 'a-1', 'w-assistant', 's-general', $1, 'e-1')`,
      [used.thread],
    );
    await eventually(async () => {
      const [row] = await house.core.database.query<{ viewers: number }>('select viewers from desktop where id = $1', [
        watched.id,
      ]);
      return row?.viewers === 1;
    });
    await longAgo();
    expect(await stopIdleDesktops(house.core)).toEqual([]);
    await eventually(async () => host.desired().some(({ recording }) => recording === 'a-1'));
    await house.core.database.query(`update activation set state = 'done'`);
    await eventually(async () => host.desired().every(({ recording }) => recording === null));
    await longAgo();
    await house.core.database.query('update desktop set viewers = 0');
    expect((await stopIdleDesktops(house.core)).sort()).toEqual([watched.id, used.id].sort());
  });
});

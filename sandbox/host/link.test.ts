import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { openLink } from './link.ts';
import type { FromHost } from './messages.ts';
import { isDesktop, startCoreStandIn } from './testing/core-stand-in.ts';
import { type HostHouse, houseToken, openHostHouse, until, wish } from './testing/host-house.ts';

let house: HostHouse | undefined;

afterEach(async () => {
  expect(house?.core.wrong ?? []).toEqual([]);
  await house?.[Symbol.asyncDispose]();
  house = undefined;
});

type Said<T extends FromHost['type']> = Extract<FromHost, { type: T }>;
const isRegistration = (message: FromHost): message is Said<'register'> => message.type === 'register';
const isHeartbeat = (message: FromHost): message is Said<'heartbeat'> => message.type === 'heartbeat';

describe('the link of a host', () => {
  it('says first who it is and what it can do, then again and again that it is alive', async () => {
    house = await openHostHouse({ encoders: [{ name: 'libx264', works: true, detail: 'a frame was encoded' }] });
    const { core } = house;
    await core.hears(isHeartbeat);
    expect(core.said[0]).toEqual({
      type: 'register',
      v: 1,
      host: 'h-test',
      capacity: 4,
      drivers: [{ name: 'unisolated', works: true, detail: 'a stand-in' }],
      encoders: [{ name: 'libx264', works: true, detail: 'a frame was encoded' }],
    });
    await until(() => core.said.filter(isHeartbeat).length >= 3);
  });

  it('dials again when the connection breaks, keeps its Desktops and says what they are now', async () => {
    house = await openHostHouse();
    const { core, driver } = house;
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'running'));
    const before = core.said.length;
    core.links[0]?.terminate();
    await core.hears(isRegistration, before);
    await core.hears(isDesktop('d-1', 'running', 1), before);
    expect(driver.starts).toBe(1);
  });

  it('gives a core up for dead that does not answer, and dials again', async () => {
    house = await openHostHouse({ times: { deadAfterMs: 300 } });
    const { core } = house;
    await core.hears(isHeartbeat);
    core.answering = false;
    const before = core.said.length;
    await core.hears(isRegistration, before);
    expect(core.links.length).toBeGreaterThan(1);
  });

  it('stops its Desktops when no core was heard for too long, and says so once one is back', async () => {
    house = await openHostHouse({ times: { fenceMs: 4000 } });
    const { core, driver, logged } = house;
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'running'));
    core.answering = false;
    await until(() => driver.running.size === 0);
    expect(logged.join('')).toContain('no core was heard in time');
    // The core that is back still believes in this generation: it is told, and decides by itself.
    const before = core.said.length;
    core.links[0]?.terminate();
    expect(await core.hears(isDesktop('d-1', 'stopped', 1), before)).toMatchObject({
      detail: 'its host lost the core',
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(driver.starts).toBe(1);
    core.answering = true;
    core.want([wish('d-1', 2)]);
    await core.hears(isDesktop('d-1', 'running', 2), before);
  });

  it('says once why it is refused, and goes on trying', async () => {
    house = await openHostHouse();
    const { core, logged } = house;
    await core.hears(isHeartbeat);
    core.refusal = 'another host has the name h-test: give one of them another HOST_NAME';
    core.links[0]?.terminate();
    await until(() => core.links.length >= 4);
    expect(logged.filter((line) => line.includes('another host has the name'))).toHaveLength(1);
  });

  it('tries the next core when one does not take it', async () => {
    await using away = await startCoreStandIn('the-token-of-another-house');
    await using core = await startCoreStandIn(houseToken);
    const logged: string[] = [];
    const link = openLink(
      {
        coreUrls: [away.url, core.url],
        token: houseToken,
        registration: { type: 'register', v: 1, host: 'h-test', capacity: 0, drivers: [], encoders: [] },
        log: pino({ level: 'info' }, { write: (line) => void logged.push(line) }),
      },
      { registered: () => undefined, desktops: () => undefined, dial: () => undefined, silent: () => undefined },
    );
    try {
      await core.hears(isRegistration);
      expect(logged[0]).toContain('the core refuses HOST_TOKEN');
    } finally {
      link.close();
    }
  });

  it('never logs its token', async () => {
    house = await openHostHouse();
    const { core, logged } = house;
    await core.hears(isHeartbeat);
    core.links[0]?.terminate();
    await until(() => core.links.length === 2);
    await until(() => logged.length > 0);
    expect(logged.join('')).not.toContain(houseToken);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isDesktop } from '../host/testing/core-stand-in.ts';
import { type HostHouse, openHostHouse, until, wish } from '../host/testing/host-house.ts';
import type { ViewerPerson } from '../stream/streamer.ts';

const ann: ViewerPerson = { viewer: 'v-1', subject: 'w-ann', name: 'Ann', mode: 'control' };

let house: HostHouse;

async function openHouse(options: Parameters<typeof openHostHouse>[0] = {}): Promise<void> {
  house = await openHostHouse(options);
  house.core.want([wish('d-1')]);
  await house.core.hears(isDesktop('d-1', 'running'));
}

afterEach(async () => {
  await house[Symbol.asyncDispose]();
});

function askForViewer(person = ann): void {
  house.core.send({ type: 'dial', desktop: 'd-1', kind: 'viewer', url: 'ws://127.0.0.1:1/', ticket: 't', person });
}

describe('the streamer of a Desktop', () => {
  beforeEach(() => openHouse());

  it('is not there before anybody looks', () => {
    expect(house.streamers).toEqual([]);
  });

  it('is started once for the first viewers, however many come at once, and dials for each', async () => {
    for (const viewer of ['v-1', 'v-2', 'v-3', 'v-4', 'v-5']) askForViewer({ ...ann, viewer });
    await until(() => house.streamers[0]?.dials.length === 5);
    expect(house.streamers).toHaveLength(1);
    expect(house.streamers[0]?.dials[0]).toEqual({ url: 'ws://127.0.0.1:1/', ticket: 't', person: ann });
  });

  it('that is killed under a viewer is there again before the core asks', async () => {
    askForViewer();
    await until(() => house.streamers[0]?.dials.length === 1);
    const [streamer] = house.streamers;
    streamer?.listener.viewers([ann]);
    streamer?.listener.controlAsked(ann);
    process.kill(streamer?.pid ?? 0, 'SIGKILL');
    // The person has not lost the input by that.
    await until(() => house.streamers[1]?.told[0] === 'controller Ann v-1');
  });

  it('is told again of a viewer that the one before was told of just when it died', async () => {
    askForViewer();
    await until(() => house.streamers[0]?.dials.length === 1);
    house.streamers[0]?.listener.viewers([ann]);
    askForViewer({ ...ann, viewer: 'v-2' });
    await until(() => house.streamers[0]?.dials.length === 2);
    process.kill(house.streamers[0]?.pid ?? 0, 'SIGKILL');
    await until(() => house.streamers[1]?.dials.length === 1);
    expect(house.streamers[1]?.dials[0]?.person.viewer).toBe('v-2');
  });

  it('that is killed while it records goes on recording', async () => {
    house.core.want([wish('d-1', 1, { recording: 'a-1' })]);
    await until(() => house.streamers[0]?.told.includes('record a-1') ?? false);
    process.kill(house.streamers[0]?.pid ?? 0, 'SIGKILL');
    await until(() => house.streamers[1]?.told.includes('record a-1') ?? false);
  });

  it('that is killed again and again is started more and more rarely', async () => {
    house.core.want([wish('d-1', 1, { recording: 'a-1' })]);
    const startedAt: number[] = [];
    while (startedAt.length < 4) {
      await until(() => house.streamers.length > startedAt.length);
      startedAt.push(performance.now());
      process.kill(house.streamers[startedAt.length - 1]?.pid ?? 0, 'SIGKILL');
    }
    const [, second = 0, third = 0, fourth = 0] = startedAt;
    expect(third - second).toBeGreaterThan(400);
    expect(fourth - third).toBeGreaterThan(900);
  });

  it('ends with its Desktop', async () => {
    askForViewer();
    await until(() => house.streamers[0]?.dials.length === 1);
    house.core.want([]);
    await house.core.hears(isDesktop('d-1', 'stopped'));
    expect(() => process.kill(house.streamers[0]?.pid ?? 0, 0)).toThrow('ESRCH');
  });
});

describe('the streamer of a Desktop that nobody looks at any more', () => {
  beforeEach(() => openHouse({ times: { idleMs: 1000 } }));

  it('ends some time after the last viewer has gone, and not before', async () => {
    const viewers = () => house.core.said.findLast(isDesktop('d-1', 'running'))?.viewers;
    askForViewer();
    await until(() => house.streamers[0]?.dials.length === 1);
    const [streamer] = house.streamers;
    let ended = false;
    void streamer?.ended.then(() => {
      ended = true;
    });
    streamer?.listener.viewers([ann]);
    await until(() => viewers() === 1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(ended).toBe(false);
    streamer?.listener.viewers([]);
    await until(() => ended);
    await until(() => viewers() === 0);
    // Whoever comes now gets another one.
    askForViewer();
    await until(() => house.streamers[1]?.dials.length === 1);
  });
});

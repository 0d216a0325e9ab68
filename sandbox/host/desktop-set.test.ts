import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isDesktop } from './testing/core-stand-in.ts';
import { type HostHouse, openHostHouse, until, wish } from './testing/host-house.ts';

let house: HostHouse;

beforeEach(async () => {
  house = await openHostHouse();
});

afterEach(async () => {
  expect(house.core.wrong).toEqual([]);
  await house[Symbol.asyncDispose]();
});

describe('the Desktops of a host', () => {
  it('start when the core wants them and stop when it does not, each with a word', async () => {
    const { core, driver } = house;
    core.want([wish('d-1'), wish('d-2')]);
    await core.hears(isDesktop('d-1', 'starting'));
    expect(await core.hears(isDesktop('d-1', 'running'))).toMatchObject({
      generation: 1,
      driver: 'unisolated',
      width: 640,
      height: 480,
      viewers: 0,
    });
    await core.hears(isDesktop('d-2', 'running'));
    core.want([wish('d-2')]);
    await core.hears(isDesktop('d-1', 'stopped', 1));
    expect([...driver.running.keys()]).toEqual(['d-2']);
  });

  it('are left alone when the same is wanted again', async () => {
    const { core, driver } = house;
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'running'));
    for (let again = 0; again < 5; again++) core.want([wish('d-1')]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(driver.starts).toBe(1);
  });

  it('start anew in another generation, in the same home', async () => {
    const { core, driver, directory } = house;
    core.want([wish('d-1', 1)]);
    await core.hears(isDesktop('d-1', 'running', 1));
    core.want([wish('d-1', 3)]);
    await core.hears(isDesktop('d-1', 'running', 3));
    const states = core.said.flatMap((message) =>
      message.type === 'desktop' ? [`${message.state} ${message.generation}`] : [],
    );
    expect(states).toEqual(['starting 1', 'running 1', 'stopped 1', 'starting 3', 'running 3']);
    expect(driver.running.get('d-1')?.request.home).toBe(join(directory, 'homes', 'home-of-d-1'));
  });

  it('keep the home when they stop, and nothing else', async () => {
    const { core, directory, driver } = house;
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'running'));
    const runtime = driver.running.get('d-1')?.request.runtime ?? '';
    expect(existsSync(runtime)).toBe(true);
    core.want([]);
    await core.hears(isDesktop('d-1', 'stopped'));
    expect(existsSync(runtime)).toBe(false);
    expect(await readdir(join(directory, 'homes'))).toEqual(['home-of-d-1']);
  });

  it('that do not start are told of with their sentence, and not tried again until the core says so', async () => {
    const { core, driver, directory } = house;
    driver.failure = 'Xvfb is not installed: run "apt-get install xvfb"';
    core.want([wish('d-1')]);
    expect(await core.hears(isDesktop('d-1', 'failed'))).toMatchObject({ detail: driver.failure, driver: null });
    for (let again = 0; again < 5; again++) core.want([wish('d-1')]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(driver.starts).toBe(1);
    expect(await readdir(join(directory, 'runtime'))).toEqual([]);
    driver.failure = undefined;
    core.want([wish('d-1', 2)]);
    await core.hears(isDesktop('d-1', 'running', 2));
  });

  it('that end by themselves are told of with the reason, and not started again until the core says so', async () => {
    const { core, driver } = house;
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'running'));
    driver.running.get('d-1')?.die('its memory limit was passed');
    expect(await core.hears(isDesktop('d-1', 'stopped'))).toMatchObject({ detail: 'its memory limit was passed' });
    core.want([wish('d-1')]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(driver.starts).toBe(1);
    core.want([wish('d-1', 2)]);
    await core.hears(isDesktop('d-1', 'running', 2));
  });

  it('start a few at a time', async () => {
    const { core, driver } = house;
    driver.startMs = 50;
    const ids = ['d-1', 'd-2', 'd-3', 'd-4', 'd-5'];
    core.want(ids.map((id) => wish(id)));
    await Promise.all(ids.map((id) => core.hears(isDesktop(id, 'running'))));
    expect(driver.mostAtOnce).toBe(2);
  });

  it('that are no longer wanted while they start do not stay', async () => {
    const { core, driver } = house;
    driver.startMs = 100;
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'starting'));
    core.want([]);
    await core.hears(isDesktop('d-1', 'stopped', 1));
    expect(driver.running.size).toBe(0);
  });

  it('take another size and a recording without starting anew', async () => {
    const { core, driver, streamers } = house;
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'running'));
    core.want([wish('d-1', 1, { width: 800, height: 600, recording: 'a-1' })]);
    await until(() => streamers[0]?.told.includes('resize 800x600') ?? false);
    expect(streamers[0]?.told).toEqual(['record a-1', 'resize 800x600']);
    core.want([wish('d-1', 1, { width: 800, height: 600 })]);
    await until(() => streamers[0]?.told.at(-1) === 'record null');
    expect(driver.starts).toBe(1);
    expect(core.said.findLast(isDesktop('d-1', 'running'))).toMatchObject({ width: 800, height: 600 });
  });

  it('keep the size that a person has chosen until the core wants a new one', async () => {
    const { core, streamers } = house;
    core.want([wish('d-1', 1, { recording: 'a-1' })]);
    await until(() => streamers.length === 1);
    streamers[0]?.listener.resized(390, 844);
    core.want([wish('d-1', 1, { recording: null })]);
    await until(() => streamers[0]?.told.at(-1) === 'record null');
    expect(streamers[0]?.told).toEqual(['record a-1', 'record null']);
    expect(core.said.findLast(isDesktop('d-1', 'running'))).toMatchObject({ width: 390, height: 844 });
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChannels } from './channels.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import type { StandInHost } from './testing/stand-in-host.ts';

let house: DesktopHouse;
let host: StandInHost;
beforeAll(async () => {
  house = await openDesktopHouse();
  host = await house.addHost();
});
afterAll(() => house[Symbol.asyncDispose]());

it('a channel that nobody asks for is closed; not while a command runs, however long that takes', async () => {
  const desktop = await house.running();
  const channels = createChannels(house.core.desktops.dialer, { keptMs: 100 });
  host.answer('run', async () => {
    await sleep(600);
    return { result: { exitCode: 0, stdout: 'done', stderr: '', truncated: false, timedOut: false } };
  });
  const channel = await channels.to(desktop);
  expect(await channel.run({ command: 'sleep 600', timeoutMs: 1000, outputBytes: 10 })).toMatchObject({
    stdout: 'done',
  });
  await sleep(400);
  await expect(channel.openUrl('https://example.com')).rejects.toThrow('has ended');
  expect(await channels.to(desktop)).not.toBe(channel);
  channels.close();
});

it('brings a clip as large as a host keeps one', async () => {
  const channel = await house.core.desktops.channels.to(await house.running());
  host.answer('clip', () => ({ result: {}, data: Buffer.alloc(64 * 1024 * 1024 + 1000, 1) }));
  expect((await channel.clip(60)).byteLength).toBe(64 * 1024 * 1024 + 1000);
});

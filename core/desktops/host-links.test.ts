import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { type DesktopHouse, hostToken, openDesktopHouse } from './testing/desktop-house.ts';
import { startStandInHost } from './testing/stand-in-host.ts';

let house: DesktopHouse;
beforeAll(async () => {
  house = await openDesktopHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

describe('the link of a host', () => {
  it('is refused without the token, before anything is read', async () => {
    for (const token of ['', 'wrong', `${hostToken}x`]) {
      const host = startStandInHost({ coreUrl: house.url, token });
      expect(await host.opened, token).toBe(401);
      host.kill();
    }
    expect(await house.core.database.query('select 1 from host')).toEqual([]);
  });

  it('answers heartbeats, and knows when it was heard last', async () => {
    const host = await house.addHost({ host: 'h-beats', heartbeatMs: 20 });
    await eventually(async () => host.said.filter(({ type }) => type === 'alive').length > 2);
    const [row] = await house.core.database.query<{ ago: number }>(
      `select extract(epoch from now() - last_seen_at)::float8 as ago from host where id = 'h-beats'`,
    );
    expect(row?.ago).toBeLessThan(2);
  });

  it('of another version is refused with what to do', async () => {
    const host = startStandInHost({ coreUrl: house.url, token: hostToken, version: 2 });
    await eventually(async () => host.said.length > 0);
    expect(host.said[0]).toMatchObject({ type: 'refused', message: expect.stringContaining('run the same version') });
    host.kill();
  });

  it('ends when another speaks for the same host', async () => {
    const first = await house.addHost({ host: 'h-twice', heartbeatMs: 50 });
    const second = await house.addHost({ host: 'h-twice', heartbeatMs: 50 });
    await eventually(async () => first.said.some(({ type }) => type === 'refused'));
    expect(second.said.some(({ type }) => type === 'refused')).toBe(false);
  });

  it('that says what nobody understands is ended', async () => {
    const socket = new WebSocket(`${house.url.replace('http', 'ws')}/hosts`, {
      headers: { authorization: `Bearer ${hostToken}` },
    });
    const said: string[] = [];
    socket.on('message', (data) => said.push(String(data)));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('{"type":"nonsense"}');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(said.join()).toContain('refused');
  });
});

describe('a ticket', () => {
  it('is good once, and nobody else has one', async () => {
    await house.addHost({ host: 'h-dials' });
    const desktop = await house.running();
    const { channels } = house.core.desktops;
    await (await channels.to(desktop)).still({ format: 'jpeg', quality: 50 });
    for (const authorization of [undefined, 'Bearer made-up', `Bearer ${hostToken}`]) {
      const socket = new WebSocket(`${house.url.replace('http', 'ws')}/hosts/dial`, {
        ...(authorization ? { headers: { authorization } } : {}),
      });
      const status = await new Promise((resolve) => {
        socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.once('open', () => resolve(101));
      });
      expect(status, authorization).toBe(401);
      socket.on('error', () => undefined);
      socket.terminate();
    }
  });

  it('nothing of it is in the database or in the log', async () => {
    expect(await house.core.database.query('select 1 from dial')).toEqual([]);
    expect(house.first.logged()).not.toContain(hostToken);
  });
});

it('a path that takes no WebSocket says so', async () => {
  const socket = new WebSocket(`${house.url.replace('http', 'ws')}/nowhere`);
  socket.on('error', () => undefined);
  const status = await new Promise((resolve) =>
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode)),
  );
  expect(status).toBe(404);
  socket.terminate();
});

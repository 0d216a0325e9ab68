import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { listen } from '../http/listen.ts';
import { createUpgrades } from '../http/upgrades.ts';
import { createDialer } from './dialer.ts';
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
    const ago = async () => {
      const [row] = await house.core.database.query<{ ago: number }>(
        `select extract(epoch from now() - last_seen_at)::float8 as ago from host where id = 'h-beats'`,
      );
      return row?.ago;
    };
    await expect.poll(ago).toBeLessThan(2);
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

it('a connection whose host has dialled another core since is not relied on', async () => {
  const own = await openDesktopHouse();
  try {
    // What nobody hears at its other end: the machine has lost it, and this process does not know yet.
    const deaf = new WebSocket(`${own.url.replace('http', 'ws')}/hosts`, {
      headers: { authorization: `Bearer ${hostToken}` },
    });
    await once(deaf, 'open');
    const drivers = [{ name: 'process', works: true, detail: '' }];
    deaf.send(JSON.stringify({ type: 'register', v: 1, host: 'h-one', capacity: 4, drivers, encoders: [] }));
    await once(deaf, 'message');
    const other = await own.addCore();
    await own.addHost({ host: 'h-one', coreUrl: other.url });
    const desktop = await own.running();
    const begun = performance.now();
    const channel = await own.core.desktops.channels.to(desktop);
    expect(await channel.still({ format: 'jpeg', quality: 50 })).toMatchObject({ serial: 1 });
    expect(performance.now() - begun).toBeLessThan(10_000);
    deaf.terminate();
  } finally {
    await own[Symbol.asyncDispose]();
  }
});

it('the connection of a host that is gone without a word is given up', async () => {
  const own = await openDesktopHouse();
  const http = createUpgrades(own.core.log);
  const listening = await listen((_request, response) => void response.end(), {
    host: '127.0.0.1',
    port: 0,
    upgrades: http,
  });
  try {
    await own.addHost();
    const desktop = await own.running();
    let ticket: string | undefined;
    const dialer = createDialer(
      {
        ...own.core,
        settings: own.core.desktops.settings,
        secretKey: createSecretKey('a secret key that is only for tests', 'utf8'),
        advertiseUrl: listening.url,
        hostToken,
      },
      {
        send(_link, message) {
          if (message.type === 'dial') ticket = message.ticket;
          return true;
        },
      },
      { aliveEveryMs: 50 },
    );
    http.mount('/hosts/dial', dialer.take);
    const dialled = dialer.dial({
      organisation: 'default',
      desktop: desktop.id,
      kind: 'channel',
      signal: new AbortController().signal,
    });
    await eventually(async () => ticket);
    const gone = new WebSocket(`${listening.url.replace('http', 'ws')}/hosts/dial`, {
      headers: { authorization: `Bearer ${ticket}` },
      autoPong: false,
    });
    gone.on('error', () => undefined);
    const socket = await dialled;
    const closed = once(socket, 'close');
    socket.resume();
    const begun = performance.now();
    await closed;
    expect(performance.now() - begun).toBeLessThan(10_000);
    gone.terminate();
  } finally {
    await listening.close(0);
    await own[Symbol.asyncDispose]();
  }
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

import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { UnauthenticatedError } from '../errors.ts';
import { listen } from './listen.ts';
import { createUpgrades } from './upgrades.ts';

it('a refused upgrade leaves no connection, even to a peer that never closes its own side', async () => {
  const upgrades = createUpgrades(pino({ level: 'silent' }));
  upgrades.mount('/hosts', () => {
    throw new UnauthenticatedError('show a token');
  });
  const listening = await listen((_request, response) => void response.end(), { host: '127.0.0.1', port: 0, upgrades });
  const peer = connect({ host: '127.0.0.1', port: listening.port, allowHalfOpen: true });
  try {
    const said: string[] = [];
    peer.on('data', (data) => said.push(String(data)));
    peer.write('GET /hosts HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await once(peer, 'end');
    expect(said.join('')).toMatch(/^HTTP\/1.1 401 .*"code":"unauthenticated"/s);
    const open = () =>
      new Promise<number>((resolve, reject) =>
        listening.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      );
    await eventually(async () => (await open()) === 0);
  } finally {
    peer.destroy();
    await listening.close(0);
  }
});

import { once } from 'node:events';
import { connect } from 'node:net';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { secondsGiven } from '../dispatch/testing/seconds-given.ts';
import type { Desktop } from './desktop.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import { openViewer } from './testing/viewer.ts';
import { makeLink } from './viewer-links.ts';
import type { LinkMode } from './viewer-token.ts';

let house: DesktopHouse;
let desktop: Desktop;
beforeAll(async () => {
  house = await openDesktopHouse({ renewEveryMs: 150, unknownAtMost: 3 });
  await house.addHost();
  desktop = await house.running();
});
afterAll(() => house[Symbol.asyncDispose]());

const link = (mode: LinkMode = 'watch') =>
  makeLink(house.core, {
    organisation: 'default',
    desktop: desktop.id,
    mode,
    subject: mode === 'watch' ? null : 'w-owner',
  });
const tokenIn = (url: string) => new URL(url).hash.slice(1);
const claimsOf = (token: unknown) => jwt.decode(String(token)) as { jti: string; iat: number; exp: number };

describe('the token of a page', () => {
  it('is renewed again and again while it watches, each for a quarter of an hour, and lets it in again', async () => {
    const url = await link();
    const viewer = await openViewer(house.url, url);
    await viewer.heard('hello');
    const renewed = () => viewer.messages.filter(({ type }) => type === 'token').map(({ token }) => String(token));
    await eventually(async () => renewed().length >= 3);
    const { jti } = claimsOf(tokenIn(url));
    for (const token of renewed()) {
      const claims = claimsOf(token);
      expect(claims.jti).toBe(jti);
      expect(claims.exp - claims.iat).toBe(15 * 60);
    }
    viewer.socket.close();
    const again = await openViewer(house.url, url, { token: renewed().at(-1) ?? '' });
    await again.heard('hello');
    again.socket.close();
  });

  it('lasts no longer than the link itself', async () => {
    const url = await link();
    const viewer = await openViewer(house.url, url);
    await viewer.heard('hello');
    await house.core.database.query(`update viewer_link set expires_at = now() + interval '60 s' where jti = $1`, [
      claimsOf(tokenIn(url)).jti,
    ]);
    const short = await eventually(async () =>
      viewer.messages.map(({ token }) => claimsOf(token)).find((claims) => claims && claims.exp - claims.iat <= 60),
    );
    expect(short.exp - short.iat).toBeGreaterThan(50);
    viewer.socket.close();
  });

  it('to control, which was to be opened soon, is renewed as soon as it was', async () => {
    const slow = await openDesktopHouse();
    try {
      await slow.addHost();
      const { id } = await slow.running();
      const url = await makeLink(slow.core, {
        organisation: 'default',
        desktop: id,
        mode: 'control',
        subject: 'w-owner',
      });
      const viewer = await openViewer(slow.url, url);
      expect(claimsOf((await viewer.heard('token')).token).jti).toBe(claimsOf(tokenIn(url)).jti);
      viewer.socket.close();
    } finally {
      await slow[Symbol.asyncDispose]();
    }
  });
});

describe('who has not said who it is', () => {
  it('is ended when it sends more than a token takes, before that is a whole message', async () => {
    const { hostname, port } = new URL(house.url);
    const peer = connect({ host: hostname, port: Number(port) });
    peer.on('error', () => undefined);
    peer.write(
      `GET /d/${desktop.id}/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    await once(peer, 'data');
    using given = secondsGiven();
    // A text of 1,000,000 bytes, masked by zeros, of which 40,000 come.
    peer.write(
      Buffer.concat([Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40, 0, 0, 0, 0]), Buffer.alloc(40_000, 97)]),
    );
    peer.resume();
    await once(peer, 'close');
    expect(given.passed()).toBeLessThan(2);
  });

  it('makes room for who comes later, when there are many', async () => {
    const waiting = await Promise.all(
      [1, 2, 3].map(() => openViewer(house.url, `${house.url}/d/${desktop.id}`, { token: null })),
    );
    const viewer = await openViewer(house.url, await link());
    await viewer.heard('hello');
    const ended = await Promise.race(waiting.map(({ closed }, n) => closed.then(() => n)));
    expect([0, 1, 2]).toContain(ended);
    expect(waiting.filter(({ socket }) => socket.readyState === socket.OPEN)).toHaveLength(2);
    for (const { socket } of [viewer, ...waiting]) socket.close();
  });
});

import { generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { secondsGiven } from '../dispatch/testing/seconds-given.ts';
import { hireWorker } from '../organisation/hire-worker.ts';
import { seedOrganisation } from '../organisation/seed.ts';
import type { DesktopId } from '../store/ids.ts';
import { openLink } from './check-links.ts';
import type { Desktop } from './desktop.ts';
import { stopDesktop } from './stop-desktop.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import { openViewer } from './testing/viewer.ts';
import { makeLink, renewToken, type WantedLink } from './viewer-links.ts';
import { signToken } from './viewer-token.ts';

let house: DesktopHouse;
let desktop: Desktop;
let other: Desktop;
const tokens: string[] = [];
beforeAll(async () => {
  house = await openDesktopHouse();
  await house.addHost({ capacity: 20 });
  desktop = await house.running();
  other = await house.running();
});
afterAll(() => house[Symbol.asyncDispose]());

async function link(wanted: Partial<WantedLink> = {}): Promise<{ url: string; token: string }> {
  const url = await makeLink(house.core, {
    organisation: 'default',
    desktop: desktop.id,
    mode: 'watch',
    subject: null,
    ...wanted,
  });
  const token = new URL(url).hash.slice(1);
  tokens.push(token);
  return { url, token };
}

/** What the HTTP side says to a token, and what the viewer's socket says to it. */
async function show(
  token: string,
  at: DesktopId = desktop.id,
): Promise<{ status: number; code: unknown; socket: unknown }> {
  const response = await fetch(`${house.url}/d/${at}/screenshot`, { headers: { authorization: `Bearer ${token}` } });
  const body = response.status === 200 ? {} : ((await response.json()) as Record<string, unknown>);
  const viewer = await openViewer(house.url, `${house.url}/d/${at}`, { token });
  const heard = await Promise.race([viewer.heard('error'), viewer.heard('hello')]);
  viewer.socket.close();
  return { status: response.status, code: body.code, socket: heard.code ?? heard.type };
}

/** The same claims, signed or not as the test says. */
function forge(
  token: string,
  change: Record<string, unknown>,
  sign: (payload: object, header: object) => string,
): string {
  const { payload, header } = jwt.decode(token, { complete: true }) as { payload: object; header: object };
  const forged = sign({ ...payload, ...change }, header);
  tokens.push(forged);
  return forged;
}

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token', () => {
  it('opens what it was made for', async () => {
    expect(await show((await link()).token)).toEqual({ status: 200, code: undefined, socket: 'hello' });
  });

  it('that has expired is refused', async () => {
    const { token } = await link();
    const { jti = '' } = jwt.decode(token) as { jti?: string };
    const claims = { organisation: 'default', desktop: desktop.id, mode: 'watch', subject: null, jti } as const;
    const old = await signToken(house.core.desktops.keys, claims, -5);
    tokens.push(old);
    expect(await show(old)).toEqual({ status: 401, code: 'link_expired', socket: 'expired' });
  });

  it('that was tampered with, or signed by nobody or by somebody else, is refused', async () => {
    const { token } = await link();
    const refused = { status: 401, code: 'link_invalid', socket: 'unauthorised' };
    const [, , signature = ''] = token.split('.');
    const control = { mode: 'control' };
    expect(
      await show(forge(token, control, (payload, header) => `${base64(header)}.${base64(payload)}.${signature}`)),
    ).toEqual(refused);
    expect(
      await show(
        forge(token, control, (payload, header) => `${base64({ ...header, alg: 'none' })}.${base64(payload)}.`),
      ),
    ).toEqual(refused);
    const { kid } = (jwt.decode(token, { complete: true }) as { header: { kid: string } }).header;
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    expect(
      await show(forge(token, control, (payload) => jwt.sign(payload, stranger, { algorithm: 'ES256', keyid: kid }))),
    ).toEqual(refused);
    // The public key taken for the secret of another algorithm (CVE-2015-9235).
    const [row] = await house.core.database.query<{ key: object }>('select public_key as key from signing_key');
    expect(
      await show(
        forge(token, control, (payload) =>
          jwt.sign(payload, JSON.stringify(row?.key), { algorithm: 'HS256', keyid: kid }),
        ),
      ),
    ).toEqual(refused);
    expect(await show('nonsense')).toEqual(refused);
    expect((await fetch(`${house.url}/d/${desktop.id}/screenshot`)).status).toBe(401);
  });

  it('of another desktop, of another organisation or of the wall is refused', async () => {
    const refused = { status: 403, code: 'forbidden', socket: 'forbidden' };
    expect(await show((await link({ desktop: other.id })).token)).toEqual(refused);
    expect(await show((await link({ desktop: null, mode: 'wall', subject: 'w-owner' })).token)).toEqual(refused);
    await house.core.database.transaction((tx) => seedOrganisation(tx, 'other', { mailAlias: 'assistant' }));
    await house.core.database.query(
      `insert into desktop (organisation, id, worker, thread, home, desired, state, width, height)
       values ('other', 'd-others', 'w-assistant', 't-x', 'd-others', 'running', 'running', 1280, 720)`,
    );
    expect(await show((await link({ organisation: 'other', desktop: 'd-others' })).token)).toEqual(refused);
    // The right Desktop, but as if it were the other organisation's.
    expect(await show((await link({ organisation: 'other' })).token)).toMatchObject({ status: 410 });
  });

  it('shown again after it was revoked is refused', async () => {
    const { token } = await link();
    const { jti } = jwt.decode(token) as { jti: string };
    await house.core.database.query('update viewer_link set revoked_at = now() where jti = $1', [jti]);
    expect(await show(token)).toEqual({ status: 410, code: 'link_revoked', socket: 'revoked' });
  });

  it('opened after its desktop stopped says so, and counts no more when it runs again', async () => {
    const thread = await house.thread();
    const stopped = await house.running(thread);
    const { token } = await link({ desktop: stopped.id });
    await stopDesktop(house.core, 'default', stopped.id, 'it was stopped');
    expect(await show(token, stopped.id)).toEqual({ status: 410, code: 'desktop_stopped', socket: 'stopped' });
    const again = await house.running(thread);
    expect(again.id).toBe(stopped.id);
    expect(await show(token, stopped.id)).toEqual({ status: 410, code: 'link_revoked', socket: 'revoked' });
  });

  it('is dropped within two seconds: when its link is revoked, its thread closed, or its person may no longer', async () => {
    const hired = await hireWorker(house.core.database, 'default', {
      name: 'Ivy',
      kind: 'human',
      position: 'p-owner',
      identity: '',
      grants: ['control_desktop'],
      subscriptions: [{ stream: 's-general', mode: 'all' }],
      hiredBy: 'w-owner',
    });
    const closed = await house.running();
    const watching = await openViewer(house.url, (await link({ desktop: closed.id })).url);
    const revoked = await link();
    const viewing = await openViewer(house.url, revoked.url);
    const controlling = await openViewer(house.url, (await link({ mode: 'control', subject: hired.id })).url);
    await Promise.all([watching.heard('hello'), viewing.heard('hello'), controlling.heard('hello')]);
    using given = secondsGiven();
    const { jti } = jwt.decode(revoked.token) as { jti: string };
    const { database } = house.core;
    await database.query('update viewer_link set revoked_at = now() where jti = $1', [jti]);
    await database.query('update thread set closed_at = now() where id = $1', [closed.thread]);
    await database.query(`delete from "grant" where worker = $1`, [hired.id]);
    const told = await Promise.all([watching, viewing, controlling].map((one) => one.heard('error')));
    await Promise.all([watching.closed, viewing.closed, controlling.closed]);
    expect(given.passed()).toBeLessThan(2);
    expect(told.map(({ code }) => code)).toEqual(['revoked', 'revoked', 'revoked']);
  });

  it('to control is to be opened within 15 minutes; the page that was is given ones that last on, 24 hours in all', async () => {
    const { token } = await link({ mode: 'control', subject: 'w-owner' });
    const lasts = (one: string) => {
      const { exp = 0, iat = 0 } = jwt.decode(one) as { exp?: number; iat?: number };
      return exp - iat;
    };
    expect(lasts(token)).toBe(15 * 60);
    const opened = await openLink(house.core, token, { desktop: desktop.id, modes: ['control'] });
    expect(opened.leftSeconds).toBeGreaterThan(24 * 3600 - 60);
    const renewed = await renewToken(house.core, opened, opened.leftSeconds);
    tokens.push(renewed);
    expect(lasts(renewed)).toBe(15 * 60);
    expect(lasts(await renewToken(house.core, opened, 40))).toBe(40);
    expect(await show(renewed)).toMatchObject({ status: 200, socket: 'hello' });
    await house.core.database.query(`update viewer_link set expires_at = now() where jti = $1`, [opened.jti]);
    expect(await show(renewed)).toEqual({ status: 401, code: 'link_expired', socket: 'expired' });
  });

  it('is in no log line, whatever became of it', async () => {
    expect(tokens.length).toBeGreaterThan(10);
    const logged = house.first.logged();
    expect(logged).toContain('/screenshot');
    for (const token of tokens) {
      expect(logged).not.toContain(token);
      const [, , signature = ''] = token.split('.');
      if (signature !== '') expect(logged).not.toContain(signature);
    }
    await eventually(async () => house.first.logged().includes('a desktop is to run'));
  });
});

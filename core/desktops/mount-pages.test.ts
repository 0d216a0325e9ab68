import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Desktop } from './desktop.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import { firstPicture, type StandInHost } from './testing/stand-in-host.ts';
import { makeLink } from './viewer-links.ts';

let house: DesktopHouse;
let host: StandInHost;
let desktop: Desktop;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchboard-viewer-'));
  await mkdir(join(directory, 'assets'));
  await writeFile(join(directory, 'index.html'), '<!doctype html><title>viewer</title>');
  await writeFile(join(directory, 'wall.html'), '<!doctype html><title>viewer of all</title>');
  await writeFile(join(directory, 'assets', 'index-abc123.js'), 'export {}');
  house = await openDesktopHouse({ viewerDirectory: directory });
  host = await house.addHost();
  desktop = await house.running();
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const tokenFor = async (mode: 'watch' | 'wall') => {
  const wanted = { organisation: 'default', desktop: mode === 'wall' ? null : desktop.id, mode } as const;
  return new URL(await makeLink(house.core, { ...wanted, subject: mode === 'wall' ? 'w-owner' : null })).hash.slice(1);
};

describe('the page of a desktop', () => {
  it('is the same for everybody, runs nothing but our own files and tells nobody where it was opened', async () => {
    for (const [path, title] of [
      [`/d/${desktop.id}`, '<title>viewer</title>'],
      ['/d/d-nowhere', '<title>viewer</title>'],
      ['/wall', '<title>viewer of all</title>'],
    ]) {
      const response = await fetch(`${house.url}${path}`);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain(title);
      expect(response.headers.get('content-type')).toContain('text/html');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self'");
      expect(policy).toContain(`connect-src 'self' ${house.url.replace('http', 'ws')}`);
      expect(policy).not.toContain('unsafe');
      expect(response.headers.get('set-cookie')).toBeNull();
    }
  });

  it('opened by a preview bot changes nothing', async () => {
    const rows = () => house.core.database.query('select * from desktop, viewer_link order by viewer_link.jti');
    await tokenFor('watch');
    const before = await rows();
    await fetch(`${house.url}/d/${desktop.id}`, { headers: { 'user-agent': 'Slackbot-LinkExpanding 1.0' } });
    await fetch(`${house.url}/d/${desktop.id}`, { method: 'HEAD' });
    expect(await rows()).toEqual(before);
    expect(host.viewers).toEqual([]);
  });

  it('has assets that a browser keeps for ever, and nothing beside them', async () => {
    const script = await fetch(`${house.url}/viewer/assets/index-abc123.js`);
    expect(script.status).toBe(200);
    expect(script.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${house.url}/viewer/../package.json`)).status).toBe(404);
    expect((await fetch(`${house.url}/viewer/%2e%2e/%2e%2e/etc/passwd`)).status).toBe(404);
  });

  it('is a plain sentence where no viewer was built', async () => {
    const other = await house.addCore({ viewerDirectory: join(directory, 'nowhere') });
    const response = await fetch(`${other.url}/d/${desktop.id}`);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('The viewer page has not been built here');
  });
});

describe('a still', () => {
  const still = async (query = '', headers: Record<string, string> = {}) =>
    await fetch(`${house.url}/d/${desktop.id}/screenshot${query}`, {
      headers: { authorization: `Bearer ${await tokenFor('watch')}`, ...headers },
    });

  it('comes once for each change of the screen', async () => {
    const first = await still('?format=jpeg&quality=40&w=320');
    expect(first.status).toBe(200);
    expect(first.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await first.arrayBuffer())).toEqual(firstPicture);
    expect(host.requests.at(-1)).toMatchObject({ method: 'still', quality: 40, width: 320 });
    const etag = first.headers.get('etag') ?? '';
    const same = await still('', { 'if-none-match': etag });
    expect(same.status).toBe(304);
    expect(same.headers.get('etag')).toBe(etag);
    host.draw(Buffer.from('another picture'));
    const changed = await still('', { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(await changed.text()).toBe('another picture');
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('says what is wrong with what it is asked for', async () => {
    const response = await still('?w=9999999');
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toContain('w=16–3840');
  });
});

describe('the wall', () => {
  it('shows what its own person may see, with a link to each, which stays the same', async () => {
    const authorization = `Bearer ${await tokenFor('wall')}`;
    const look = async () => {
      const response = await fetch(`${house.url}/wall/desktops`, { headers: { authorization } });
      expect(response.status).toBe(200);
      return (await response.json()) as { id: string; title: string; subtitle: string; state: string; url: string }[];
    };
    const desktops = await look();
    expect(desktops).toMatchObject([{ id: desktop.id, title: 'Assistant', subtitle: 'General', state: 'running' }]);
    const [shown] = desktops;
    const response = await fetch(`${house.url}/d/${desktop.id}/screenshot`, {
      headers: { authorization: `Bearer ${new URL(shown?.url ?? '').hash.slice(1)}` },
    });
    expect(response.status).toBe(200);
    const links = async () => (await house.core.database.query('select 1 from viewer_link')).length;
    const before = await links();
    await look();
    expect(await links()).toBe(before);
  });

  it('is for its own person: not by the token of a desktop, not without one', async () => {
    const authorization = `Bearer ${await tokenFor('watch')}`;
    expect((await fetch(`${house.url}/wall/desktops`, { headers: { authorization } })).status).toBe(403);
    expect((await fetch(`${house.url}/wall/desktops`)).status).toBe(401);
  });

  it('does not show what is done in a private thread, nor one that all threads share to who manages nobody', async () => {
    const { database } = house.core;
    await database.query(
      `insert into worker (organisation, id, name, kind, position) values ('default', 'w-ivy', 'Ivy', 'human', 'p-assistant')`,
    );
    await database.query(
      `insert into desktop (organisation, id, worker, thread, home, desired, state, width, height)
       values ('default', 'd-all', 'w-assistant', null, 'd-all', 'running', 'running', 1280, 720)`,
    );
    const { listWall } = await import('./list-wall.ts');
    expect((await listWall(house.core, 'default', 'w-ivy')).map(({ id }) => id)).toEqual([]);
    await database.query(
      `insert into subscription (organisation, worker, stream) values ('default', 'w-ivy', 's-general')`,
    );
    expect((await listWall(house.core, 'default', 'w-ivy')).map(({ id }) => id)).toEqual([desktop.id]);
    expect((await listWall(house.core, 'default', 'w-owner')).map(({ id }) => id).sort()).toEqual(
      ['d-all', desktop.id].sort(),
    );
    await database.query(`update worker set position = null where id = 'w-ivy'`);
    expect(await listWall(house.core, 'default', 'w-ivy')).toEqual([]);
  });
});

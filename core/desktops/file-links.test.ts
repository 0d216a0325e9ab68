import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { append } from '../streams/append.ts';
import type { Desktop } from './desktop.ts';
import { makeFileLink } from './file-links.ts';
import { readFileLinks, readFiles, storeFile } from './files.ts';
import { redactLinks } from './redact-links.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import { makeLink } from './viewer-links.ts';

const organisation = 'default';
const file = { name: 'assistant "30s" ü.mp4', type: 'video/mp4', data: Buffer.from('not a film') };

let house: DesktopHouse;
let desktop: Desktop;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchboard-viewer-'));
  await writeFile(join(directory, 'file.html'), '<!doctype html><title>a file</title>');
  house = await openDesktopHouse({ viewerDirectory: directory });
  await house.addHost();
  desktop = await house.running();
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

let thread: `t-${string}`;
let said: { organisation: string; stream: `s-${string}`; author: null; sourceKind: 'notice' };
beforeEach(async () => {
  const [stream] = await house.core.database.query<{ stream: `s-${string}` }>(
    'select stream from thread where organisation = $1 and id = $2',
    [organisation, desktop.thread],
  );
  if (!stream) throw new Error('the desktop has no thread');
  said = { organisation, stream: stream.stream, author: null, sourceKind: 'notice' };
  ({ thread } = await append(house.core, { ...said, message: { body: 'a clip' } }));
});

async function stored(changes: Partial<typeof file> = {}) {
  const attachment = await storeFile(house.core, organisation, thread, { ...file, ...changes });
  const { event } = await append(house.core, {
    ...said,
    thread,
    message: { body: 'a clip', attachments: [attachment] },
  });
  const [link] = await readFileLinks(house.core, organisation, thread, [attachment]);
  if (!link) throw new Error('there is no link');
  return { event, attachment, url: new URL(link.url), token: new URL(link.url).hash.slice(1) };
}

const content = (path: string, token?: string) =>
  fetch(`${house.url}${path}/content`, token ? { headers: { authorization: `Bearer ${token}` } } : {});

/** The answer to somebody who takes nothing of the file yet. */
async function waitingFor({ url, token }: { url: URL; token: string }): Promise<IncomingMessage> {
  const asking = get(`${house.url}${url.pathname}/content`, {
    headers: { authorization: `Bearer ${token}` },
    agent: false,
  });
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return response;
}

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('the link of a file', () => {
  it('opens a page that is the same for everybody, and the file for who has the token', async () => {
    const { url, token } = await stored();
    const page = await fetch(`${house.url}${url.pathname}`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<title>a file</title>');
    expect(page.headers.get('content-security-policy')).toContain('media-src blob:');
    const response = await content(url.pathname, token);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('not a film');
    expect(response.headers.get('content-type')).toBe('video/mp4');
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; .*filename\*=UTF-8''assistant/);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
  });

  it('gives bytes of any other type as bytes', async () => {
    const { url, token } = await stored({ name: 'page.html', type: 'text/html' });
    const response = await content(url.pathname, token);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('opens nothing without its token, with the token of another file, or with one that was tampered with', async () => {
    const { url, token } = await stored();
    const other = await stored();
    const [head = '', , signature = ''] = token.split('.');
    const forged = Buffer.from(
      JSON.stringify({ organisation, file: url.pathname.slice(3), mode: 'file', exp: 9e9 }),
    ).toString('base64url');
    for (const shown of [undefined, other.token, `${head}.${forged}.${signature}`, 'x']) {
      const response = await content(url.pathname, shown);
      expect(response.status).toBe(401);
      expect(await codeOf(response)).toBe('link_invalid');
    }
  });

  it('is no link to a desktop, and a desktop’s is none to a file', async () => {
    const { url, token } = await stored();
    const about = { organisation, desktop: desktop.id, subject: null } as const;
    const watch = new URL(await makeLink(house.core, { ...about, mode: 'watch' })).hash.slice(1);
    expect((await content(url.pathname, watch)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    for (const path of [`/d/${desktop.id}/screenshot`, '/wall/desktops'])
      expect((await fetch(`${house.url}${path}`, { headers })).status).toBe(401);
  });

  it('ends with its time, with the file, with the message and with its thread', async () => {
    const { url } = await stored();
    const id = url.pathname.slice('/f/'.length) as `f-${string}`;
    const brief = new URL(await makeFileLink(house.core, organisation, id, 1)).hash.slice(1);
    await expect.poll(async () => (await content(url.pathname, brief)).status).toBe(401);
    expect(await codeOf(await content(url.pathname, brief))).toBe('link_expired');

    const second = await stored();
    await house.core.database.query('update file set expires_at = now() where id = $1', [second.url.pathname.slice(3)]);
    const gone = await content(second.url.pathname, second.token);
    expect([gone.status, await codeOf(gone)]).toEqual([410, 'link_revoked']);

    const deleted = await stored();
    await house.core.database.query(`update event set attachments = '[]' where id = $1`, [deleted.event]);
    expect((await content(deleted.url.pathname, deleted.token)).status).toBe(410);

    const third = await stored();
    await house.core.database.query('update thread set closed_at = now() where id = $1', [thread]);
    expect((await content(third.url.pathname, third.token)).status).toBe(410);
  });

  it('is made only in the thread that the file belongs to', async () => {
    const { attachment } = await stored();
    const elsewhere = desktop.thread as `t-${string}`;
    expect(await readFileLinks(house.core, organisation, elsewhere, [attachment])).toEqual([]);
    expect(await readFiles(house.core, organisation, elsewhere, [attachment])).toEqual([]);
  });

  it('is taken out of what people quote', async () => {
    const { url } = await stored();
    const { publicUrl } = house.core;
    const quoted = redactLinks(publicUrl, `> see ${publicUrl}${url.pathname}${url.hash} there`);
    expect(quoted).toBe(`> see ${publicUrl}${url.pathname}#token-removed there`);
    expect(redactLinks(publicUrl, `https://elsewhere.example/?u=${url.hash.slice(1)}`)).not.toContain(
      url.hash.slice(1, 60),
    );
  });
});

const MiB = 1024 * 1024;

describe('the contents of a file', () => {
  it.each([0, 1, 256 * 1024, 256 * 1024 + 1, MiB + 123])('of %i bytes come whole, with their length', async (size) => {
    const data = randomBytes(size);
    const { url, token } = await stored({ data });
    const response = await content(url.pathname, token);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(size));
    expect(Buffer.from(await response.arrayBuffer()).equals(data)).toBe(true);
    const headers = { authorization: `Bearer ${token}` };
    const head = await fetch(`${house.url}${url.pathname}/content`, { method: 'HEAD', headers });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(size)]);
  });

  it('are not held in memory for those who take their time, nor a connection to the database', async () => {
    const opened = await stored({ data: randomBytes(32 * MiB) });
    const before = process.memoryUsage().arrayBuffers;
    // More than the pool has connections.
    const waiting = await Promise.all(Array.from({ length: 12 }, () => waitingFor(opened)));
    await sleep(500);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(96 * MiB);
    const [busy] = await house.core.database.query<{ n: number }>(
      `select count(*) as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'`,
    );
    expect(busy?.n).toBe(0);
    for (const response of waiting) response.destroy();
  });

  it('are read no further once the client has left', async () => {
    const opened = await stored({ data: randomBytes(32 * MiB) });
    const query = vi.spyOn(house.core.database, 'query');
    const pieces = () => query.mock.calls.filter(([text]) => text.includes('substring(data')).length;
    try {
      const response = await waitingFor(opened);
      await expect.poll(pieces).toBeGreaterThan(0);
      response.destroy();
      const read = await eventually(async () => {
        const before = pieces();
        await sleep(500);
        return pieces() === before && before;
      });
      expect(read).toBeLessThan(128);
    } finally {
      query.mockRestore();
    }
    expect(house.first.logged()).not.toContain('a request failed');
  });

  it('that are removed while they are sent break off: a part does not look like the whole', async () => {
    const opened = await stored({ data: randomBytes(32 * MiB) });
    const response = await waitingFor(opened);
    await house.core.database.query('delete from file where id = $1', [opened.url.pathname.slice('/f/'.length)]);
    const here = buffer(response).then(({ byteLength }) => byteLength);
    await expect(here).rejects.toThrow('aborted');
    expect(response.complete).toBe(false);
    expect(house.first.logged()).not.toContain('a request failed');
  });

  it('lie uncompressed, so that a piece can be read without what is before it', async () => {
    const { url } = await stored({ data: Buffer.alloc(MiB) });
    const [file] = await house.core.database.query<{ compression: string | null; size: number }>(
      'select pg_column_compression(data) as compression, pg_column_size(data) as size from file where id = $1',
      [url.pathname.slice('/f/'.length)],
    );
    expect(file).toEqual({ compression: null, size: MiB });
  });
});

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, createConnection, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FilteringProxy, startFilteringProxy } from './filtering-proxy.ts';

/** Names of the Internet, as this test's resolver knows them; `rebinds.org` changes its mind at the second question. */
const names: Record<string, string[]> = {
  'site.org': ['93.184.216.34'],
  'inside.org': ['10.0.0.7'],
  'metadata.org': ['169.254.169.254'],
  'both.org': ['127.0.0.1', '93.184.216.34'],
  'silent.org': ['93.184.216.99'],
  'rebinds.org': ['93.184.216.34'],
};

let folder: string;
let site: Server;
let proxy: FilteringProxy;
let connected: string[];
/** Connections to a server that takes none. */
let unanswered: Socket[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proxy-test-'));
  connected = [];
  unanswered = [];
  site = createServer((asked, answer) => {
    answer.setHeader('x-seen', JSON.stringify(asked.headers));
    asked.pipe(answer);
    if (asked.method === 'GET') answer.end(`${asked.headers.host}${asked.url}`);
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const hosts = [...Object.keys(names), 'nowhere.org', 'localhost'];
  const started = await startFilteringProxy({ kind: 'allow', hosts }, join(folder, 's'), owner, {
    async lookup(host) {
      const found = names[host]?.map((address) => ({ address, family: 4 }));
      if (!found) throw new Error('ENOTFOUND');
      if (host === 'rebinds.org') names['rebinds.org'] = ['127.0.0.1'];
      return found;
    },
    connect(address) {
      connected.push(address);
      if (address === names['silent.org']?.[0]) {
        const socket = new Socket();
        unanswered.push(socket);
        setTimeout(() => socket.emit('timeout'), 50);
        return socket;
      }
      return createConnection({ host: '127.0.0.1', port: (site.address() as AddressInfo).port });
    },
  });
  if (!started) throw new Error('there is no proxy');
  proxy = started;
});

afterEach(async () => {
  await proxy.close();
  site.closeAllConnections();
  await new Promise((resolve) => site.close(resolve));
  await rm(folder, { recursive: true });
});

interface Answer {
  status: number;
  body: string;
  seen: Record<string, string>;
}

/** A plain request through the proxy. */
async function ask(url: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  const asked = request({ socketPath: join(folder, 's'), path: url, method: body ? 'POST' : 'GET', headers });
  asked.end(body);
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const chunk of answer) text += chunk;
  return { status: answer.statusCode, body: text, seen: JSON.parse(answer.headers['x-seen'] ?? '{}') };
}

/** A tunnel through the proxy, and a request in it. */
async function tunnel(target: string): Promise<{ status: number; body: string }> {
  const asked = request({ socketPath: join(folder, 's'), method: 'CONNECT', path: target });
  asked.end();
  const [answer, socket, head] = await once(asked, 'connect');
  if (answer.statusCode !== 200) {
    let text = String(head);
    for await (const chunk of socket) text += chunk;
    return { status: answer.statusCode, body: text };
  }
  socket.write('GET /through HTTP/1.1\r\nHost: tunnel\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  return { status: 200, body: text };
}

describe('the filtering proxy', () => {
  it('passes a plain request and its answer on', async () => {
    expect(await ask('http://site.org/a?b=c')).toMatchObject({ status: 200, body: 'site.org/a?b=c' });
    expect(await ask('http://site.org/', 'héllo')).toMatchObject({ status: 200, body: 'héllo' });
  });

  it('carries a tunnel, to the address that was checked', async () => {
    const { status, body } = await tunnel('site.org:443');
    expect([status, body.endsWith('tunnel/through')]).toEqual([200, true]);
    expect(connected).toEqual(['93.184.216.34']);
  });

  it('keeps what is for the proxy to itself, and names the host of the address and no other', async () => {
    const headers = { 'proxy-authorization': 'Basic x', host: 'inside.org', 'x-kept': 'yes' };
    const { seen } = await ask('http://site.org/', undefined, headers);
    expect(seen).toMatchObject({ host: 'site.org', 'x-kept': 'yes' });
    expect(seen).not.toHaveProperty('proxy-authorization');
  });

  it.each(['inside.org', 'metadata.org', 'localhost'])(
    'refuses %s, whose address is not of the Internet',
    async (host) => {
      names.localhost = ['127.0.0.1'];
      expect((await ask(`http://${host}/`)).status).toBe(403);
      expect(await tunnel(`${host}:443`)).toMatchObject({
        status: 403,
        body: expect.stringContaining('not on the Internet'),
      });
      expect(connected).toEqual([]);
    },
  );

  it('takes of several addresses one of the Internet', async () => {
    await tunnel('both.org:443');
    expect(connected).toEqual(['93.184.216.34']);
  });

  it('looks a name up anew for each connection and connects to nothing else', async () => {
    expect((await tunnel('rebinds.org:443')).status).toBe(200);
    expect((await tunnel('rebinds.org:443')).status).toBe(403);
    expect(connected).toEqual(['93.184.216.34']);
  });

  it.each([
    ['other.org:443', 403],
    ['site.org:22', 403],
    ['127.0.0.1:80', 403],
    ['[::1]:80', 403],
    ['2130706433:80', 403],
    ['0x7f.1:80', 403],
    ['nowhere.org:443', 502],
  ])('refuses a tunnel to %s', async (target, status) => {
    expect((await tunnel(target)).status).toBe(status);
    expect(connected).toEqual([]);
  });

  it('lets go of a connection that nobody takes', async () => {
    expect((await tunnel('silent.org:443')).status).toBe(502);
    expect(unanswered.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it('answers what is no request for a proxy with 400', async () => {
    expect((await ask('/just/a/path')).status).toBe(400);
    expect((await ask('ftp://site.org/')).status).toBe(400);
  });

  it('is not there without a network', async () => {
    expect(await startFilteringProxy({ kind: 'none' }, join(folder, 'none'), { uid: 0, gid: 0 })).toBeNull();
  });
});

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { listen } from './listen.ts';

const HERE = { host: '127.0.0.1', port: 0 };

describe('listen', () => {
  it('tells where it listens, also by IPv6', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const listening = await listen((_request, response) => void response.end('hello'), { host, port: 0 });
      expect(listening.port).toBeGreaterThan(0);
      expect(await (await fetch(listening.url)).text()).toBe('hello');
      await listening.close();
    }
  });

  it('says in one sentence that the port is taken', async () => {
    const first = await listen(() => undefined, HERE);
    const second = listen(() => undefined, { ...HERE, port: first.port });
    await expect(second).rejects.toThrow(ConfigurationError);
    await expect(second).rejects.toMatchObject({
      code: 'port_in_use',
      message: `port ${first.port} on 127.0.0.1 is in use: stop what uses it, or set PORT to another one`,
    });
    await first.close();
  });

  it.each(['192.0.2.1', 'a'.repeat(64)])('says that HOST %s is not of this machine', async (host) => {
    const listening = listen(() => undefined, { host, port: 0 });
    await expect(listening).rejects.toThrow(ConfigurationError);
    await expect(listening).rejects.toMatchObject({
      code: 'host_not_local',
      message: expect.stringMatching(/^HOST .*127\.0\.0\.1/),
    });
  });
});

describe('closing', () => {
  it('lets the request in progress finish, accepts no other, and does not wait for idle connections', async () => {
    const { promise: finish, resolve } = Promise.withResolvers<void>();
    let arrived = 0;
    const listening = await listen(async (asked, response) => {
      if (asked.url === '/slow') {
        arrived++;
        await finish;
      }
      response.end('done');
    }, HERE);
    const agent = new Agent({ keepAlive: true, keepAliveMsecs: 60_000 });
    await got(`${listening.url}/idle`, agent);
    const slow = got(`${listening.url}/slow`, agent);
    const other = got(`${listening.url}/slow`, agent);
    await expect.poll(() => arrived).toBe(2);
    const started = performance.now();
    const closed = listening.close(30);
    await expect(fetch(listening.url)).rejects.toThrow();
    resolve();
    expect(await Promise.all([slow, other])).toEqual(['done', 'done']);
    await closed;
    expect(performance.now() - started).toBeLessThan(10_000);
    agent.destroy();
  });

  it('cuts what does not finish within the grace, upgraded connections included', async () => {
    let arrived = 0;
    const listening = await listen(() => void arrived++, HERE);
    listening.server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const upgraded = connect(listening.port, '127.0.0.1');
    upgraded.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await once(upgraded, 'data');
    const hanging = got(listening.url, new Agent());
    const cut = Promise.all([expect(hanging).rejects.toThrow(), once(upgraded, 'close')]);
    await expect.poll(() => arrived).toBe(1);
    await listening.close(0.1);
    await cut;
  });

  it('may be asked for twice', async () => {
    const listening = await listen(() => undefined, HERE);
    await Promise.all([listening.close(), listening.close()]);
  });
});

async function got(url: string, agent: Agent): Promise<string> {
  const asking = request(url, { agent });
  asking.end();
  const [response] = await once(asking, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return body;
}

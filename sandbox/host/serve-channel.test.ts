import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { FromHost } from './messages.ts';
import { askOn, isDesktop } from './testing/core-stand-in.ts';
import { type HostHouse, openHostHouse, until, wish } from './testing/host-house.ts';

const isReturned = (message: FromHost): message is Extract<FromHost, { type: 'control' }> =>
  message.type === 'control' && message.state === 'returned';
const ann = { viewer: 'v-1', subject: 'w-ann', name: 'Ann', mode: 'control' as const };

let house: HostHouse;
let channel: WebSocket;
let ask: ReturnType<typeof askOn>;

beforeEach(async () => {
  house = await openHostHouse();
  house.core.want([wish('d-1')]);
  await house.core.hears(isDesktop('d-1', 'running'));
  channel = await house.core.dialled('d-1', 'channel');
  ask = askOn(channel);
});

afterEach(async () => {
  expect(house.core.wrong).toEqual([]);
  await house[Symbol.asyncDispose]();
});

describe('a channel to a Desktop', () => {
  it('gives a still with its bytes, and none when the asker has it already', async () => {
    const still = { method: 'still', format: 'jpeg', quality: 70 };
    const first = await ask(still);
    expect(first.reply).toMatchObject({ result: { serial: 7, width: 640, height: 480, format: 'jpeg' }, bytes: 9 });
    expect(first.data?.toString()).toBe('a picture');
    expect(await ask({ ...still, unless: 7 })).toEqual({
      reply: { id: 2, result: { serial: 7, width: 640, height: 480, format: 'jpeg' }, bytes: 0 },
    });
  });

  it('writes a file whose bytes follow the request, and reads it in parts', async () => {
    const content = Buffer.from('héllo 世界 🙂');
    const written = await ask({ method: 'write_file', path: 'a/b.txt', bytes: content.byteLength }, content);
    expect(written.reply).toMatchObject({ result: {}, bytes: 0 });
    const read = await ask({ method: 'read_file', path: 'a/b.txt', offset: 2, limit: 5 });
    expect(read.reply).toMatchObject({ result: { size: content.byteLength }, bytes: 5 });
    expect(read.data).toEqual(content.subarray(2, 7));
    expect((await ask({ method: 'write_file', path: 'empty', bytes: 0 })).reply).toMatchObject({ result: {} });
  });

  it('runs several requests at once and answers in whatever order they end', async () => {
    const run = (command: string) => ask({ method: 'run', command, timeoutMs: 10_000, outputBytes: 1000 });
    const slow = run('until [ -e answered ]; do sleep 0.05; done; echo slow');
    expect((await run('echo quick')).reply).toMatchObject({ result: { stdout: 'quick\n' } });
    await ask({ method: 'write_file', path: 'answered', bytes: 0 });
    expect((await slow).reply).toMatchObject({ result: { exitCode: 0, stdout: 'slow\n', timedOut: false } });
  });

  it('answers a hundred requests that come together', async () => {
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => ask({ method: 'still', format: 'png', quality: 1 })),
    );
    expect(replies.every(({ data }) => data?.toString() === 'a picture')).toBe(true);
  });

  it("does an agent's inputs one after the other", async () => {
    const move = { method: 'act', steps: [{ do: 'move', x: 1, y: 2 }] };
    await Promise.all([ask(move), ask(move), ask({ method: 'act', steps: [{ do: 'key', keys: 'Return' }] })]);
    expect(house.streamers[0]?.told).toEqual(['act move', 'acted', 'act move', 'acted', 'act key', 'acted']);
  });

  it('refuses input while a person has it, with the name, and takes it again afterwards', async () => {
    await ask({ method: 'still', format: 'png', quality: 1 });
    const { listener } = house.streamers[0] ?? {};
    listener?.viewers([ann]);
    listener?.controlAsked(ann);
    const move = { method: 'act', steps: [{ do: 'move', x: 1, y: 2 }] };
    const controlled = { code: 'controlled', message: 'Ann controls this Desktop now: wait until it is given back' };
    expect((await ask(move)).reply).toMatchObject({ error: controlled });
    expect((await ask({ method: 'open_url', url: 'https://example.com' })).reply).toMatchObject({ error: controlled });
    listener?.personDid(['clicked at 10, 20']);
    listener?.controlReleased(ann);
    expect((await ask(move)).reply).toMatchObject({ result: {} });
    const returned = await house.core.hears(isReturned);
    expect(returned).toEqual({
      type: 'control',
      desktop: 'd-1',
      generation: 1,
      state: 'returned',
      subject: 'w-ann',
      name: 'Ann',
      steps: ['clicked at 10, 20'],
    });
  });

  it('says what the asker can mend', async () => {
    expect((await ask({ method: 'read_file', path: 'none', offset: 0, limit: 10 })).reply).toMatchObject({
      error: { code: 'refused', message: 'there is no file none: list the folder first' },
    });
  });

  it('hides how it failed where the asker cannot mend it, and logs it', async () => {
    const run = await ask({ method: 'run', command: 'echo 12345678901', timeoutMs: 5000, outputBytes: 10 });
    expect(run.reply).toMatchObject({ error: { code: 'failed', message: 'run failed on the host: its log says why' } });
    expect(house.logged.join('')).toContain('maxBuffer');
  });

  it('refuses what is not of the protocol and goes on', async () => {
    expect((await ask({ method: 'still', format: 'gif', quality: 70 })).reply).toMatchObject({
      error: { code: 'refused', message: expect.stringContaining('format') },
    });
    expect((await ask({ method: 'reboot' })).reply).toMatchObject({ error: { code: 'refused' } });
    expect((await ask({ method: 'clip', seconds: 5 })).data?.toString()).toBe('a clip');
  });

  it.each([
    ['a text that is not JSON', (socket: WebSocket) => socket.send('what?')],
    ['a file that nobody announced', (socket: WebSocket) => socket.send(Buffer.from('x'))],
    [
      'a file of another size than announced',
      (socket: WebSocket) => {
        socket.send(JSON.stringify({ id: 1, method: 'write_file', path: 'x', bytes: 2 }));
        socket.send(Buffer.from('xyz'));
      },
    ],
  ])('ends after %s', async (_what, send) => {
    send(channel);
    expect((await once(channel, 'close'))[0]).toBe(1002);
  });

  it('says that the Desktop does not run when it does not', async () => {
    house.core.want([]);
    await house.core.hears(isDesktop('d-1', 'stopped'));
    expect((await ask({ method: 'still', format: 'png', quality: 1 })).reply).toMatchObject({
      error: { code: 'not_running' },
    });
    const unknown = askOn(await house.core.dialled('d-9', 'channel'));
    expect((await unknown({ method: 'clip', seconds: 1 })).reply).toMatchObject({ error: { code: 'not_running' } });
  });

  it('waits for a Desktop that is just starting', async () => {
    house.driver.startMs = 200;
    house.core.want([wish('d-1'), wish('d-2')]);
    await house.core.hears(isDesktop('d-2', 'starting'));
    const second = askOn(await house.core.dialled('d-2', 'channel'));
    expect((await second({ method: 'still', format: 'png', quality: 1 })).reply).toMatchObject({ bytes: 9 });
  });

  it('stops a command whose asker has gone', async () => {
    const command = 'echo $$ > pid; mv pid began; exec sleep 60';
    void ask({ method: 'run', command, timeoutMs: 60_000, outputBytes: 10 });
    const other = askOn(await house.core.dialled('d-1', 'channel'));
    const began = async () => (await other({ method: 'read_file', path: 'began', offset: 0, limit: 20 })).data;
    await expect.poll(began).toBeDefined();
    const pid = Number(await began());
    const runs = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    expect(runs()).toBe(true);
    channel.terminate();
    await expect.poll(runs).toBe(false);
  });

  it('is not dialled along a redirect', async () => {
    let followed = false;
    const server = createServer((request, response) => {
      if (request.url === '/elsewhere') followed = true;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    house.core.send({
      type: 'dial',
      desktop: 'd-1',
      kind: 'channel',
      url: `ws://127.0.0.1:${port}/`,
      ticket: 'a-ticket',
    });
    await until(() => house.logged.some((line) => line.includes('302')));
    server.close();
    expect(followed).toBe(false);
    expect(house.logged.join('')).not.toContain('a-ticket');
  });
});

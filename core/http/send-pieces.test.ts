import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { sendPieces } from './send-pieces.ts';

const piece = Buffer.alloc(256 * 1024, 1);
let close: () => void = () => undefined;
afterEach(() => close());

/** Somebody who has asked and takes nothing yet; `sent`: what became of the sending. */
async function ask(
  send: (response: ServerResponse) => Promise<void>,
): Promise<{ body: IncomingMessage; sent: Promise<void> }> {
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  // It may have failed before the test asks.
  sent.catch(() => undefined);
  const server = createServer((_request, response) => resolve(send(response))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asking = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
  close = () => {
    asking.destroy();
    server.close();
  };
  const [body] = (await once(asking, 'response')) as [IncomingMessage];
  return { body, sent };
}

function counted(count: number): { pieces: AsyncGenerator<Buffer>; asked(): number; ended(): boolean } {
  let asked = 0;
  let ended = false;
  async function* pieces() {
    try {
      for (; asked < count; asked++) yield piece;
    } finally {
      ended = true;
    }
  }
  return { pieces: pieces(), asked: () => asked, ended: () => ended };
}

it('sends all of it to who takes it', async () => {
  const { body, sent } = await ask((response) => sendPieces(response, counted(40).pieces));
  expect((await buffer(body)).byteLength).toBe(40 * piece.byteLength);
  await sent;
});

it('asks for no more than is taken, and lets go of who takes nothing', async () => {
  const source = counted(1000);
  const { body, sent } = await ask((response) => sendPieces(response, source.pieces, { stalledMs: 500 }));
  body.on('error', () => undefined);
  await sent;
  expect(source.asked()).toBeLessThan(200);
  expect(source.ended()).toBe(true);
});

it('ends with the client', async () => {
  const source = counted(1000);
  const { body, sent } = await ask((response) => sendPieces(response, source.pieces));
  body.destroy();
  await sent;
  expect(source.ended()).toBe(true);
});

it('breaks the connection when there is no more of it', async () => {
  async function* failing() {
    yield piece;
    throw new Error('it is gone');
  }
  const { body, sent } = await ask((response) => sendPieces(response, failing()));
  await Promise.all([expect(sent).rejects.toThrow('it is gone'), expect(buffer(body)).rejects.toThrow('aborted')]);
});

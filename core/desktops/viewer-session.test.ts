import { getEventListeners, once } from 'node:events';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { joinViewer } from './viewer-session.ts';

it('a viewer that outlives many streamers keeps nothing of them', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await using opened = new AsyncDisposableStack();
  opened.defer(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  const open = async () => {
    const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    const { port } = server.address() as { port: number };
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    return { client, accepted: await accepted };
  };
  const viewer = await open();
  const streamers: WebSocket[] = [];
  let signal: AbortSignal | undefined;
  const link = {
    organisation: 'default',
    desktop: 'd-1',
    mode: 'watch',
    subject: null,
    jti: 'j',
    personName: '',
    leftSeconds: 60,
  } as const;
  const { ended } = joinViewer(viewer.accepted, link, async (request) => {
    signal = request.signal;
    const { client, accepted } = await open();
    streamers.push(client);
    return accepted;
  });
  for (let n = 1; n <= 4; n++) {
    await eventually(async () => streamers.length === n);
    await eventually(async () => streamers[n - 1]?.readyState === WebSocket.OPEN);
    streamers[n - 1]?.terminate();
  }
  await eventually(async () => streamers.length === 5);
  if (!signal) throw new Error('nobody was dialled');
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(2);
  viewer.client.terminate();
  await ended;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { bestEncoder, probeEncoders } from '../encode/probe-encoders.ts';
import { isDesktop } from '../host/testing/core-stand-in.ts';
import { openHostHouse, until, wish } from '../host/testing/host-house.ts';
import { decodeMedia, encodeInput } from '../protocol.ts';
import { keepSpareStreamer } from '../stream/spare-streamer.ts';
import type { Streamer } from '../stream/streamer.ts';
import { hasXvfb } from '../testing/x-server.ts';

const encoders = await probeEncoders();
const why = !hasXvfb
  ? 'Xvfb is not installed'
  : bestEncoder(encoders) === null
    ? 'nothing encodes H.264 here'
    : undefined;
const ann = { viewer: 'v-1', subject: 'w-ann', name: 'Ann', mode: 'control' };

/** Reads a viewer's connection until the first picture, acknowledging it as a page does. */
async function firstPicture(viewer: WebSocket): Promise<{ hello: unknown; key: boolean }> {
  let hello: unknown;
  return new Promise((resolve, reject) => {
    viewer.on('close', (code) => reject(new Error(`the viewer's connection was closed (${code})`)));
    viewer.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        const said = JSON.parse(String(data));
        if (said.type === 'hello') hello = said;
        return;
      }
      const frame = decodeMedia(data);
      if (frame.type !== 'video') return;
      viewer.send(encodeInput({ type: 'ack', sequence: frame.sequence }));
      resolve({ hello, key: frame.key });
    });
  });
}

describe.skipIf(why)(`a streamer that is killed${why ? ` (skipped: ${why})` : ''}`, () => {
  it('is replaced, and its viewers have a picture again well within 2 s', { timeout: 60_000 }, async () => {
    const started: Streamer[] = [];
    const spare = keepSpareStreamer(true);
    spare.prepare();
    await using house = await openHostHouse({
      screens: true,
      encoders,
      startStreamer: async (options, listener) => {
        const streamer = await spare.start(options, listener);
        started.push(streamer);
        return streamer;
      },
    });
    house.core.want([wish('d-1')]);
    await house.core.hears(isDesktop('d-1', 'running'));
    const viewer = await house.core.dialled('d-1', 'viewer', ann);
    expect(await firstPicture(viewer)).toMatchObject({ hello: { desktop: 'd-1', width: 640, height: 480 }, key: true });
    await until(() => house.core.said.findLast(isDesktop('d-1', 'running'))?.viewers === 1);

    const killedAt = performance.now();
    process.kill(started[0]?.pid ?? 0, 'SIGKILL');
    // What the core does when the connection of a viewer has broken.
    await once(viewer, 'close');
    const again = await house.core.dialled('d-1', 'viewer', ann);
    expect(await firstPicture(again)).toMatchObject({ hello: { desktop: 'd-1' }, key: true });
    const tookMs = performance.now() - killedAt;
    console.info(`picture back ${tookMs.toFixed(0)} ms after the streamer was killed`);
    expect(tookMs).toBeLessThan(2000);
    expect(started).toHaveLength(2);
    spare.close();
  });
});

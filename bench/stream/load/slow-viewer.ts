import { setTimeout as sleep } from 'node:timers/promises';
import { createPings, pingEveryMs } from '../../../stream-viewer/connection/pings.ts';
import { createSlowLink } from '../../../stream-viewer/connection/slow-link.ts';
import { percentile } from '../../figures.ts';
import type { RunningDesktop } from '../desktop-house.ts';
import type { Ground } from './ground.ts';
import type { ProtocolClient } from './protocol-client.ts';

const stillsWithinMs = 60_000;

/** What a viewer goes through whose line carries 1 Mbit/s and takes 200 ms. */
export interface SlowViewer {
  client: ProtocolClient;
  /** Of the link to the house. */
  port: number;
  roundTripMs: number;
}

/** The picture gets coarser until it fits, gives way to stills, and what is clicked arrives all the while. */
export async function measureSlowViewer(ground: Ground, desktop: RunningDesktop, slow: SlowViewer): Promise<void> {
  const { figures } = ground;
  const { client, port } = slow;
  const told = client.heard.flatMap(({ message }) => (message.type === 'video' ? [message.bitrate] : []));
  console.log(`    the slow viewer was told of ${[...new Set(told)].map((each) => `${each / 1e6} Mbit/s`).join(', ')}`);
  figures.add('slow viewer: bitrates that it was told of', new Set(told).size, '', { atLeast: 2 });
  await timeInput(ground, desktop, slow);

  figures.add('slow viewer: until there is no more video', (await untilStills(client)) / 1000, 's', {
    atMost: stillsWithinMs / 1000,
  });
  const asked = performance.now();
  const still = await fetch(`http://127.0.0.1:${port}/d/${desktop.id}/screenshot?format=jpeg&quality=50&w=640`, {
    headers: { authorization: `Bearer ${desktop.tokens.watch}` },
  });
  const bytes = (await still.arrayBuffer()).byteLength;
  if (still.headers.get('content-type') !== 'image/jpeg' || bytes === 0)
    throw new Error(`a still was answered with ${still.status} ${still.headers.get('content-type')}, ${bytes} bytes`);
  figures.add('slow viewer: a still', performance.now() - asked, 'ms');
  figures.add('slow viewer: size of a still', bytes / 1000, 'kB');
}

/** By the page's own rule, or by the streamer's decision if that comes first. NaN: not within a minute. */
async function untilStills(client: ProtocolClient): Promise<number> {
  const pings = createPings();
  const link = createSlowLink();
  const begun = performance.now();
  let seen = client.heard.length;
  const isOff = () =>
    client.heard.some(({ at, message }) => at >= begun && message.type === 'video' && !message.enabled);
  while (!isOff()) {
    if (performance.now() - begun > stillsWithinMs) return Number.NaN;
    client.say({ type: 'ping', t: pings.sent() });
    await sleep(pingEveryMs);
    for (const { message } of client.heard.slice(seen)) {
      const ms = message.type === 'pong' ? pings.answered(message.t) : null;
      if (ms !== null && link.saw(ms)) client.say({ type: 'set_video_enabled', enabled: false });
    }
    seen = client.heard.length;
  }
  return performance.now() - begun;
}

async function timeInput({ figures, painters, house }: Ground, desktop: RunningDesktop, slow: SlowViewer) {
  const { client, roundTripMs } = slow;
  const painter = painters.get(desktop);
  if (!painter) throw new Error('every Desktop has a painter');
  painter.start(10, () => {});
  client.say({ type: 'request_control' });
  const controls = () => client.heard.some(({ message }) => message.type === 'controller' && message.you);
  for (let waited = 0; !controls(); waited += 20) {
    if (waited > 10_000) throw new Error('control was not given within 10 s');
    await sleep(20);
  }
  const took: number[] = [];
  for (let n = 1; n <= 30; n++) {
    const [x, y] = [20 + n * 25, 20 + ((n * 37) % 300)];
    const arrived = painter.pointerAt(x, y);
    const sent = performance.now();
    client.input({ type: 'pointer', x: scaled(x, house.screen.width), y: scaled(y, house.screen.height) });
    took.push((await arrived) - sent);
    await sleep(100);
  }
  painter.stop();
  client.say({ type: 'release_control' });
  figures.add('slow viewer: pointer → X server p50', percentile(took, 0.5), 'ms');
  figures.add('slow viewer: pointer → X server p95', percentile(took, 0.95), 'ms', { atMost: roundTripMs + 50 });
}

/** The middle of a pixel, of 65535. */
function scaled(pixel: number, of: number): number {
  return Math.round(((pixel + 0.5) / of) * 65535);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { loadNodeAv } from '../../sandbox/encode/node-av.ts';
import { openVideoEncoder } from '../../sandbox/encode/video-encoder.ts';
import { codecs, encodeVideo } from '../../sandbox/protocol.ts';
import { createFanOut, type FanOut } from '../../sandbox/stream/fan-out.ts';
import type { Scene } from './scene.ts';

const picturesASecond = 20;

/** A scene as a stream: the host's own encoder and fan-out, with a picture in memory where the screen would be. */
export interface StandInStream extends AsyncDisposable {
  readonly fanOut: FanOut;
  /** Grows with each change: the ETag of a still. */
  readonly serial: number;
}

/** True where H.264 can be made: node-av is an optional dependency. */
export async function canEncode(): Promise<boolean> {
  return (await loadNodeAv()) !== null;
}

/** Draws, and encodes while anybody watches, until it is disposed of. Without node-av it only draws. */
export async function startStream(scene: Scene): Promise<StandInStream> {
  const av = await loadNodeAv();
  const encoder = av
    ? await openVideoEncoder(av, {
        name: 'libx264',
        size: { width: scene.width, height: scene.height },
        fps: picturesASecond,
        bitrate: 8_000_000,
        effort: 'veryfast',
        threads: 1,
      })
    : null;
  let wantsKey = true;
  let stopped = false;
  let serial = 0;
  const fanOut = createFanOut(() => {
    wantsKey = true;
  });
  const whole = [{ top: 0, height: scene.height }];

  async function run(): Promise<void> {
    let sequence = 0;
    for (let step = 0; !stopped; step += 1) {
      const changed = scene.draw(step);
      if (changed) serial += 1;
      if (encoder && fanOut.watching > 0 && (changed || wantsKey)) {
        const at = { ptsMicroseconds: BigInt(Math.round(performance.now() * 1000)), key: wantsKey };
        wantsKey = false;
        for (const unit of await encoder.encode(scene.pixels, whole, at)) {
          sequence += 1;
          const { width, height } = encoder;
          const frame = encodeVideo({ ...unit, codec: codecs.h264, sequence, width, height });
          fanOut.publish({ sequence, key: unit.key, frame });
        }
      }
      await sleep(1000 / picturesASecond);
    }
  }
  const running = run();
  return {
    fanOut,
    get serial() {
      return serial;
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      await running;
      fanOut.close();
      encoder?.close();
    },
  };
}

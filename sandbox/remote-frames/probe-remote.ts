import type { Report } from '../drivers/driver.ts';
import type { RemoteEncoder } from '../stream/streamer.ts';
import { connectRemote, inTime } from './remote-encoder.ts';
import { nv12Bytes } from './wire.ts';

const size = { width: 320, height: 240 };

/** Has a real picture encoded there. It takes no encoder here, so no process of its own. */
export async function probeRemoteEncoder(remote: RemoteEncoder): Promise<Report> {
  const name = 'remote';
  const begun = performance.now();
  try {
    await using screen = await connectRemote(remote, 'a try', 30);
    const data = Buffer.alloc(nv12Bytes(size.width, size.height), 0x80);
    const frame = { wantsKey: true, ptsMicroseconds: 0n, bitrate: 1_000_000, ...size, data };
    const encoded = await inTime(screen.encode(frame));
    if (encoded.kind !== 'unit' || !encoded.key) return { name, works: false, detail: 'it gave no keyframe' };
    const took = Math.round(performance.now() - begun);
    return { name, works: true, detail: `encodes a picture (${took} ms with the way there and back)` };
  } catch (error) {
    return { name, works: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

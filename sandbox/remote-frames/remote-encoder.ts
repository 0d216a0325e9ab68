import { setTimeout as sleep } from 'node:timers/promises';
import { createBgrxConverter } from '../encode/bgrx-converter.ts';
import type { NodeAv } from '../encode/node-av.ts';
import { packNv12 } from '../encode/nv12.ts';
import type { VideoEncoder, VideoEncoderOptions } from '../encode/video-encoder.ts';
import type { RemoteEncoder } from '../stream/streamer.ts';
import { connectScreen, EncodingFailedError, FramesLostError, type RemoteScreen } from './frame-client.ts';
import { nv12Bytes } from './wire.ts';

/** An encoder that has not answered by then does not answer: somebody waits for the picture. */
const withinMs = 3000;

/**
 * An encoder in another process, perhaps on another machine, that takes this screen's pictures as NV12. It keeps no picture back.
 *
 * @throws Error when nothing listens there
 */
export async function openRemoteEncoder(
  av: NodeAv,
  remote: RemoteEncoder | null,
  options: Pick<VideoEncoderOptions, 'size' | 'fps' | 'bitrate'>,
): Promise<VideoEncoder> {
  if (!remote) throw new Error('REMOTE_ENCODER is not set');
  const size = { width: options.size.width & ~1, height: options.size.height & ~1 };
  const screen = await connectRemote(remote, `${size.width}x${size.height} of process ${process.pid}`, options.fps);
  const converter = createBgrxConverter(av, size, options.size.width, av.AV_PIX_FMT_NV12);
  const picture = Buffer.alloc(nv12Bytes(size.width, size.height));
  let { bitrate } = options;

  return {
    ...size,
    async encode(pixels, bands, { ptsMicroseconds, key }) {
      converter.convert(pixels, bands);
      packNv12(converter.frame, size, picture);
      const frame = { wantsKey: key, ptsMicroseconds, bitrate, ...size, data: picture };
      const encoded = await inTime(screen.encode(frame));
      if (encoded.kind === 'dropped') throw new EncodingFailedError('it was dropped, though no other was under way');
      return [{ data: Buffer.from(encoded.data), key: encoded.key, ptsMicroseconds, quantizer: null }];
    },
    setBitrate(bitsPerSecond) {
      bitrate = bitsPerSecond;
      return true;
    },
    close() {
      converter.close();
      void screen.close();
    },
  };
}

/** @throws FramesLostError when nothing listens there, or nothing answers */
export async function connectRemote({ at, token }: RemoteEncoder, name: string, fps: number): Promise<RemoteScreen> {
  const connecting = connectScreen(at, { name, fps }, token);
  try {
    return await inTime(connecting);
  } catch (error) {
    // One that connects after all is closed again.
    void connecting.then((screen) => screen.close()).catch(() => undefined);
    throw error;
  }
}

/** @throws FramesLostError */
export async function inTime<T>(asked: Promise<T>): Promise<T> {
  const waiting = new AbortController();
  const late = sleep(withinMs, null, { signal: waiting.signal }).then(() => {
    throw new FramesLostError(`no answer within ${withinMs / 1000} s`);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    late.catch(() => undefined);
    waiting.abort();
  }
}

import { wholeScreen } from '../capture/bands.ts';
import { encodingThreads } from '../encode/encoder-settings.ts';
import type { NodeAv } from '../encode/node-av.ts';
import { openVideoEncoder, type VideoEncoder } from '../encode/video-encoder.ts';
import type { LocalEncoderName } from '../stream/streamer.ts';
import type { FrameEncoder } from './frame-server.ts';
import type { RawFrame } from './wire.ts';

/** Encodes a guest's frames by an encoder of this machine; another one whenever their size asks for it. */
export function createFrameEncoder(av: NodeAv, name: LocalEncoderName, fps: number): FrameEncoder {
  let encoder: VideoEncoder | undefined;
  let bitrate = 0;

  function discard(): void {
    encoder?.close();
    encoder = undefined;
  }

  function suits({ width, height, bitrate: wanted }: RawFrame): boolean {
    if (encoder?.width !== width || encoder.height !== height) return false;
    return wanted === bitrate || encoder.setBitrate(wanted);
  }

  async function encoderOf(frame: RawFrame): Promise<VideoEncoder> {
    if (!encoder || !suits(frame)) {
      discard();
      const { width, height } = frame;
      encoder = await openVideoEncoder(av, {
        ...{ name, size: { width, height }, fps: Math.max(1, fps), bitrate: frame.bitrate, pixels: 'nv12' },
        ...{ effort: 'ultrafast', threads: encodingThreads() },
      });
    }
    bitrate = frame.bitrate;
    return encoder;
  }

  return {
    async encode(frame) {
      try {
        const { ptsMicroseconds, wantsKey: key, data } = frame;
        const by = await encoderOf(frame);
        const pixels = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        const [unit, ...more] = await by.encode(pixels, wholeScreen(frame.height), { ptsMicroseconds, key });
        if (!unit || more.length > 0)
          throw new Error(`${name} gave ${unit ? 'more than one picture' : 'no picture'} for one`);
        return unit;
      } catch (error) {
        // It is of no use any more; the next frame has another, and begins with a keyframe.
        discard();
        throw error;
      }
    },
    close: discard,
  };
}

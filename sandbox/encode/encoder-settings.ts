import { availableParallelism } from 'node:os';
import type { EncodingState, LocalEncoderName } from '../stream/streamer.ts';

/**
 * How much work x264 does for a picture. `veryfast` shows the same with about 40 % fewer bytes in twice to three times the time of
 * `ultrafast`; here that has its deblocking switched on again, which shows at low bitrates and costs half a millisecond.
 */
export type Effort = NonNullable<EncodingState['effort']>;

/** What an encoder is opened with: its pixel format and its own options, as FFmpeg names them (`ffmpeg -h encoder=<name>`). */
export interface EncoderSettings {
  pixelFormat: 'yuv420p' | 'nv12';
  options: Readonly<Record<string, string>>;
  /** Its bitrate can be changed while it runs; otherwise it is opened anew. */
  changesBitrate: boolean;
}

/** The quality that is aimed for where the bitrate allows it: text stays sharp at 23, and shows blocks from about 30 on. */
export const quality = 23;

/**
 * No quantiser below this: x264 would go on refining a still screen where nobody sees it any more, and each tick of a clock would cost
 * bytes and time for all of the screen.
 */
export const finestQuantizer = 22;

/**
 * The options with which each encoder gives every picture at once, makes keyframes only when it is told to (never for a change of scene:
 * a turned page would come as one), and keeps within the bitrate.
 *
 * x264 looks for where things have moved to by `umh`: what scrolls takes a seventh of the bytes, and no more time (its usual search of
 * `ultrafast` finds no scrolled text). Without rate control it is `hex`, which takes a fifth less time for what moves like a film.
 *
 * @param threads x264 cuts a picture into as many slices, encoded side by side: it costs bytes, and saves the latency
 * @param quantizer of all of x264's pictures, whatever bitrate comes of it: its rate control, a third of its work, is left out
 */
export function encoderSettings(
  name: LocalEncoderName,
  effort: Effort,
  threads: number,
  quantizer: number | null = null,
): EncoderSettings {
  switch (name) {
    case 'libx264':
      return {
        pixelFormat: 'yuv420p',
        changesBitrate: quantizer === null,
        options: {
          preset: effort,
          tune: 'zerolatency',
          profile: 'main',
          ...(quantizer === null ? { crf: String(quality) } : { qp: String(quantizer) }),
          threads: String(threads),
          'forced-idr': '1',
          'x264-params': [
            'scenecut=0',
            ...(effort === 'ultrafast' ? ['deblock=1', quantizer === null ? 'me=umh' : 'me=hex'] : []),
            // A keyframe in the midst of motion is no better than what follows it.
            ...(quantizer === null ? [] : ['ipratio=1']),
          ].join(':'),
        },
      };
    case 'h264_nvenc':
      return {
        pixelFormat: 'yuv420p',
        changesBitrate: true,
        options: {
          preset: 'p4',
          tune: 'ull',
          profile: 'main',
          rc: 'vbr',
          cq: String(quality),
          zerolatency: '1',
          delay: '0',
          'no-scenecut': '1',
          'forced-idr': '1',
        },
      };
    case 'h264_vaapi':
      return {
        pixelFormat: 'nv12',
        changesBitrate: false,
        options: { profile: 'main', rc_mode: 'VBR', async_depth: '1' },
      };
    case 'h264_videotoolbox':
      return {
        pixelFormat: 'nv12',
        changesBitrate: false,
        options: { profile: 'main', realtime: '1', prio_speed: '1', allow_sw: '0' },
      };
  }
}

/**
 * How far the encoder's bits may run ahead of the bitrate, in seconds: what one picture may take at most on the way, and how long a
 * keyframe holds up what follows.
 */
export const bufferSeconds = 1 / 8;

/** x264 is given so many slices at most: each costs bytes, and more than a few save no more time. */
const slicesAtMost = 4;

/** The threads that x264 is opened with on this machine. */
export function encodingThreads(): number {
  return Math.min(availableParallelism(), slicesAtMost);
}

import { availableParallelism } from 'node:os';
import type { Band } from '../capture/bands.ts';
import type { Box } from '../capture/box.ts';
import type { ScreenCapture } from '../capture/screen-capture.ts';
import { bufferSeconds, type Effort } from '../encode/encoder-settings.ts';
import type { NodeAv } from '../encode/node-av.ts';
import { type AccessUnit, openVideoEncoder, type VideoEncoder } from '../encode/video-encoder.ts';
import { createMotion } from './motion.ts';
import type { EncoderName, EncodingState } from './streamer.ts';

/** What a live encoder needs. */
export interface LiveEncoderOptions {
  av: NodeAv;
  capture: ScreenCapture;
  encoder: EncoderName;
  fps: number;
  bitrate: number;
  /** The encoder was opened, or its bitrate has changed. */
  encoding(state: EncodingState): void;
}

/** What is to be encoded. */
export interface ScreenPicture {
  bands: readonly Band[];
  /** What of it has just changed; null: nothing, it is refined or asked for. */
  box: Box | null;
  ptsMicroseconds: bigint;
  key: boolean;
}

/** The encoder of one screen: another one whenever the screen's size, the time that it takes, or motion ask for it. */
export interface LiveEncoder {
  /**
   * Opens another one where the present one does not suit. True when it did: the next picture is a keyframe, and all of the screen counts as
   * changed.
   */
  prepare(wanted: { now: number; key: boolean }): Promise<boolean>;
  /** One call at a time, after {@link prepare}. */
  encode(picture: ScreenPicture): Promise<AccessUnit[]>;
  readonly width: number;
  readonly height: number;
  /** When the picture is to be made fine, since the motion on it is over by then; undefined: there is none. */
  readonly restsAt: number | undefined;
  /** Between two pictures only: the encoder is at work in another thread otherwise. */
  setBitrate(bitsPerSecond: number): void;
  close(): void;
}

/** x264 is given so many slices at most: each costs bytes, and more than a few save no more time. */
const slicesAtMost = 4;
/** With fewer cores than that x264 begins with the lesser effort: on two, a turned page takes 33 ms with `veryfast`, 9 without. */
const coresForMoreEffort = 4;
/** More than this share of the time between two pictures, on the average of some, is too much effort. */
const encodingAtMost = 0.4;
const picturesToJudge = 15;
/** The keyframe of a screen that has come to rest may take so long at the bitrate: what it shows is fine at once. */
const restingPictureSeconds = 0.5;

/** Makes it; nothing is opened before the first picture. */
export function createLiveEncoder(options: LiveEncoderOptions): LiveEncoder {
  const { av, capture, fps } = options;
  const isX264 = options.encoder === 'libx264';
  const threads = Math.min(availableParallelism(), slicesAtMost);
  let effort: Effort = availableParallelism() >= coresForMoreEffort ? 'veryfast' : 'ultrafast';
  let { bitrate } = options;
  const motion = createMotion(() => bitrate);
  let encoder: VideoEncoder | undefined;
  let openedFor = { width: 0, height: 0, quantizer: null as number | null };
  let told: EncodingState | undefined;
  let encodingMs = 0;
  let judged = 0;

  function discard(): void {
    encoder?.close();
    encoder = undefined;
  }

  function suits(): boolean {
    const { width, height } = capture.size;
    const { quantizer } = motion;
    return width === openedFor.width && height === openedFor.height && quantizer === openedFor.quantizer;
  }

  async function open(firstPictureSeconds: number): Promise<void> {
    const { size } = capture;
    const { quantizer } = motion;
    const settings = { name: options.encoder, size, fps, bitrate, effort, threads, quantizer, firstPictureSeconds };
    encoder = await openVideoEncoder(av, settings);
    openedFor = { ...size, quantizer };
    capture.markAllChanged();
    tellState();
  }

  /** Not each time that motion begins or ends: that changes nothing that anybody has chosen. */
  function tellState(): void {
    const now = { encoder: options.encoder, effort: isX264 ? effort : null, fps, bitrate };
    if (told?.effort === now.effort && told.bitrate === now.bitrate) return;
    told = now;
    options.encoding(now);
  }

  function judgeEffort(tookMs: number): void {
    if (!isX264 || effort === 'ultrafast') return;
    judged += 1;
    encodingMs += (tookMs - encodingMs) / Math.min(judged, picturesToJudge);
    if (judged < picturesToJudge || encodingMs < (encodingAtMost * 1000) / fps) return;
    effort = 'ultrafast';
    discard();
  }

  /** With more effort x264 gives each part of a picture a quantiser of its own, which one for all of it would undo. */
  function judgeMotion(units: readonly AccessUnit[], box: Box, now: number): void {
    if (!isX264 || effort !== 'ultrafast') return;
    const changed = (box.width * box.height) / (openedFor.width * openedFor.height);
    for (const { key, data, quantizer } of units) motion.made({ key, changed, bytes: data.byteLength, quantizer }, now);
  }

  return {
    async prepare({ now, key }) {
      const rests = now >= (motion.restsAt ?? Number.POSITIVE_INFINITY) - 0.5;
      if (rests || key) motion.end();
      let opened = false;
      // The screen may have another size again by the time that it is open.
      while (!encoder || !suits()) {
        discard();
        await open(rests ? restingPictureSeconds : bufferSeconds);
        opened = true;
      }
      return opened;
    },
    async encode({ bands, box, ptsMicroseconds, key }) {
      if (!encoder) throw new Error('a picture was to be encoded before an encoder was open');
      const begunAt = performance.now();
      const units = await encoder.encode(capture.pixels, bands, { ptsMicroseconds, key });
      const now = performance.now();
      if (box) judgeMotion(units, box, now);
      judgeEffort(now - begunAt);
      return units;
    },
    get width() {
      return encoder?.width ?? 0;
    },
    get height() {
      return encoder?.height ?? 0;
    },
    get restsAt() {
      return motion.restsAt;
    },
    setBitrate(bitsPerSecond) {
      bitrate = bitsPerSecond;
      motion.end();
      if (encoder?.setBitrate(bitrate)) tellState();
      else discard();
    },
    close: discard,
  };
}

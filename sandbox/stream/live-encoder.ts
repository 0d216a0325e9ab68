import { availableParallelism } from 'node:os';
import { type Band, wholeScreen } from '../capture/bands.ts';
import type { Box } from '../capture/box.ts';
import type { ScreenCapture } from '../capture/screen-capture.ts';
import { bufferSeconds, type Effort, encodingThreads } from '../encode/encoder-settings.ts';
import type { NodeAv } from '../encode/node-av.ts';
import { type AccessUnit, openVideoEncoder, type VideoEncoder } from '../encode/video-encoder.ts';
import { openRemoteEncoder } from '../remote-frames/remote-encoder.ts';
import { createMotion } from './motion.ts';
import type { EncoderName, Encoders, EncodingState } from './streamer.ts';

/** What a live encoder needs. */
export interface LiveEncoderOptions {
  av: NodeAv;
  capture: ScreenCapture;
  /** With at least one name. */
  encoders: Encoders;
  fps: number;
  bitrate: number;
  /** The encoder was opened, or its bitrate has changed. */
  encoding(state: EncodingState): void;
  /** This encoder has failed; the next goes on. */
  replaced(name: EncoderName, error: unknown): void;
}

/** What is to be encoded. */
export interface ScreenPicture {
  bands: readonly Band[];
  /** What of it has just changed; null: nothing, it is refined or asked for. */
  box: Box | null;
  ptsMicroseconds: bigint;
  key: boolean;
}

/**
 * The encoder of one screen: another one whenever the screen's size, the time that it takes, or motion ask for it. One that fails is not tried
 * again: the next that the host has takes its place, and only the failure of the last is thrown.
 */
export interface LiveEncoder {
  /**
   * Opens another one where the present one does not suit. True when it did: the next picture is a keyframe, and all of the screen counts as
   * changed.
   */
  prepare(wanted: { now: number; key: boolean }): Promise<boolean>;
  /** One call at a time, after {@link prepare}. A keyframe where another encoder had to take over, wanted or not. */
  encode(picture: ScreenPicture): Promise<AccessUnit[]>;
  readonly width: number;
  readonly height: number;
  /** Which one made the last pictures. */
  readonly name: EncoderName;
  /** When the picture is to be made fine, since the motion on it is over by then; undefined: there is none. */
  readonly restsAt: number | undefined;
  /** Between two pictures only: the encoder is at work in another thread otherwise. */
  setBitrate(bitsPerSecond: number): void;
  close(): void;
}

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
  const { remote } = options.encoders;
  const names = [...options.encoders.names];
  const threads = encodingThreads();
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

  /** The best that has not failed. */
  function name(): EncoderName {
    const [best] = names;
    if (!best) throw new Error('there is no encoder');
    return best;
  }

  const isX264 = () => name() === 'libx264';

  /** @throws the error, when there is no other encoder */
  function giveUp(error: unknown): void {
    if (names.length === 1) throw error;
    discard();
    options.replaced(name(), error);
    names.shift();
    motion.end();
  }

  async function open(firstPictureSeconds: number): Promise<void> {
    const { size } = capture;
    const { quantizer } = motion;
    const settings = { size, fps, bitrate, effort, threads, quantizer, firstPictureSeconds };
    const best = name();
    encoder =
      best === 'remote'
        ? await openRemoteEncoder(av, remote, settings)
        : await openVideoEncoder(av, { ...settings, name: best });
    openedFor = { ...size, quantizer };
    capture.markAllChanged();
    tellState();
  }

  async function openOne(firstPictureSeconds: number): Promise<VideoEncoder> {
    while (!encoder || !suits()) {
      discard();
      // The screen may have another size again by the time that it is open.
      await open(firstPictureSeconds).catch(giveUp);
    }
    return encoder;
  }

  /** Not each time that motion begins or ends: that changes nothing that anybody has chosen. */
  function tellState(): void {
    const now = { encoder: name(), effort: isX264() ? effort : null, fps, bitrate };
    if (told?.encoder === now.encoder && told.effort === now.effort && told.bitrate === now.bitrate) return;
    told = now;
    options.encoding(now);
  }

  function judgeEffort(tookMs: number): void {
    if (!isX264() || effort === 'ultrafast') return;
    judged += 1;
    encodingMs += (tookMs - encodingMs) / Math.min(judged, picturesToJudge);
    if (judged < picturesToJudge || encodingMs < (encodingAtMost * 1000) / fps) return;
    effort = 'ultrafast';
    discard();
  }

  /** With more effort x264 gives each part of a picture a quantiser of its own, which one for all of it would undo. */
  function judgeMotion(units: readonly AccessUnit[], box: Box, now: number): void {
    if (!isX264() || effort !== 'ultrafast') return;
    const changed = (box.width * box.height) / (openedFor.width * openedFor.height);
    for (const { key, data, quantizer } of units) motion.made({ key, changed, bytes: data.byteLength, quantizer }, now);
  }

  return {
    async prepare({ now, key }) {
      const rests = now >= (motion.restsAt ?? Number.POSITIVE_INFINITY) - 0.5;
      if (rests || key) motion.end();
      if (encoder && suits()) return false;
      await openOne(rests ? restingPictureSeconds : bufferSeconds);
      return true;
    },
    async encode({ bands, box, ptsMicroseconds, key }) {
      if (!encoder) throw new Error('a picture was to be encoded before an encoder was open');
      const begunAt = performance.now();
      let units: AccessUnit[];
      try {
        units = await encoder.encode(capture.pixels, bands, { ptsMicroseconds, key });
      } catch (error) {
        giveUp(error);
        const next = await openOne(bufferSeconds);
        const all = wholeScreen(capture.size.height);
        return await next.encode(capture.pixels, all, { ptsMicroseconds, key: true });
      }
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
    get name() {
      return name();
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

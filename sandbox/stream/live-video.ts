import { availableParallelism } from 'node:os';
import type { ScreenCapture } from '../capture/screen-capture.ts';
import type { Effort } from '../encode/encoder-settings.ts';
import type { NodeAv } from '../encode/node-av.ts';
import { type AccessUnit, openVideoEncoder, type VideoEncoder } from '../encode/video-encoder.ts';
import { createPace } from './pace.ts';
import { createRefinement } from './refinement.ts';
import type { EncoderName, EncodingState } from './streamer.ts';

/** One encoded picture with its place in the stream. */
export interface LivePicture extends AccessUnit {
  /** Grows by one with each picture; wraps at 2^32. */
  sequence: number;
  width: number;
  height: number;
}

/** What live video needs. */
export interface LiveVideoOptions {
  av: NodeAv;
  capture: ScreenCapture;
  encoder: EncoderName;
  fps: number;
  bitrate: number;
  /** Whether anybody would take a picture now. */
  isWanted(): boolean;
  publish(picture: LivePicture): void;
  /** The encoder has failed and stays off. */
  failed(error: unknown): void;
  /** The encoder was opened, or its bitrate has changed. */
  encoding(state: EncodingState): void;
}

/** The screen as a stream of H.264, made while it is wanted and only when something changes. */
export interface LiveVideo {
  /** Something may be to do: the screen was damaged, or pictures are wanted again. */
  wake(): void;
  /** The next picture is a keyframe, and there is one soon, changed or not. */
  requestKeyframe(): void;
  /** When the last keyframe was made, on performance.now()'s clock. */
  readonly lastKeyAt: number;
  setBitrate(bitsPerSecond: number): void;
  close(): Promise<void>;
}

/** x264 is given so many slices at most: each costs bytes, and more than a few save no more time. */
const slicesAtMost = 4;
/** With fewer cores than that x264 begins with the lesser effort: on two, a turned page takes 33 ms with `veryfast`, 9 without. */
const coresForMoreEffort = 4;
/** More than this share of the time between two pictures, on the average of some, is too much effort. */
const encodingAtMost = 0.4;
const picturesToJudge = 15;

/** Makes live video of a captured screen: grab, convert, encode, publish, one picture after the other. */
export function createLiveVideo(options: LiveVideoOptions): LiveVideo {
  const { av, capture, fps } = options;
  const pace = createPace(fps);
  const refinement = createRefinement();
  const threads = Math.min(availableParallelism(), slicesAtMost);
  let effort: Effort = availableParallelism() >= coresForMoreEffort ? 'veryfast' : 'ultrafast';
  let { bitrate } = options;
  let encoder: VideoEncoder | undefined;
  let encoderSize = { width: 0, height: 0 };
  let keyWanted = true;
  let lastKeyAt = Number.NEGATIVE_INFINITY;
  let lastPts = 0n;
  let sequence = 0;
  let encodingMs = 0;
  let judged = 0;
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  let working: Promise<void> | undefined;
  let closed = false;

  function hasWork(now: number): boolean {
    return keyWanted || capture.isDamaged || refinement.isDue(now);
  }

  /** Begins the next picture as soon as there is something to show and the pace allows it. */
  function wake(): void {
    if (working || closed || !options.isWanted()) return;
    cancelTimer();
    const now = performance.now();
    if (hasWork(now)) {
      const wait = pace.wait(now);
      if (wait <= 0.5) begin();
      else timer = setTimeout(wake, wait);
    } else if (refinement.dueAt !== undefined) timer = setTimeout(wake, Math.max(1, refinement.dueAt - now));
  }

  function cancelTimer(): void {
    clearTimeout(timer as NodeJS.Timeout | undefined);
    timer = undefined;
  }

  function begin(): void {
    working = makePicture()
      .catch((error) => {
        closed = true;
        options.failed(error);
      })
      .finally(() => {
        working = undefined;
        wake();
      });
  }

  async function makePicture(): Promise<void> {
    const begunAt = performance.now();
    const cpuBefore = process.cpuUsage();
    if (capture.isDamaged) await capture.refresh();
    const opened = await openEncoder();
    if (closed) return;
    const bands = capture.takeChanged();
    const key = keyWanted;
    if (bands.length === 0 && !key && !refinement.isDue(begunAt)) return;
    keyWanted = false;

    const grabbedAt = performance.now();
    const units = await opened.encode(capture.pixels, bands, { ptsMicroseconds: nextPts(), key });
    const now = performance.now();
    for (const unit of units) {
      sequence = (sequence + 1) >>> 0;
      if (unit.key) lastKeyAt = now;
      options.publish({ ...unit, sequence, width: opened.width, height: opened.height });
      refinement.made(unit.quantizer, bands.length > 0, now);
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    pace.took(begunAt, (user + system) / 1000);
    judgeEffort(now - grabbedAt);
  }

  /** The encoder for the screen as it is now; its first picture is a keyframe, and all of the screen is new to it. */
  async function openEncoder(): Promise<VideoEncoder> {
    while (!encoder || capture.size.width !== encoderSize.width || capture.size.height !== encoderSize.height) {
      encoder?.close();
      encoder = undefined;
      const size = capture.size;
      encoder = await openVideoEncoder(av, { name: options.encoder, size, fps, bitrate, effort, threads });
      encoderSize = size;
      capture.markAllChanged();
      keyWanted = true;
      tellState();
    }
    return encoder;
  }

  function tellState(): void {
    options.encoding({ encoder: options.encoder, effort: options.encoder === 'libx264' ? effort : null, fps, bitrate });
  }

  /** Microseconds of the host's clock, always later than the one before. */
  function nextPts(): bigint {
    const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
    lastPts = now > lastPts ? now : lastPts + 1n;
    return lastPts;
  }

  function judgeEffort(tookMs: number): void {
    if (options.encoder !== 'libx264' || effort === 'ultrafast') return;
    judged += 1;
    encodingMs += (tookMs - encodingMs) / Math.min(judged, picturesToJudge);
    if (judged < picturesToJudge || encodingMs < (encodingAtMost * 1000) / fps) return;
    effort = 'ultrafast';
    encoder?.close();
    encoder = undefined;
  }

  return {
    wake,
    requestKeyframe() {
      keyWanted = true;
      wake();
    },
    get lastKeyAt() {
      return lastKeyAt;
    },
    setBitrate(bitsPerSecond) {
      if (bitsPerSecond === bitrate) return;
      bitrate = bitsPerSecond;
      // Between two pictures only: the encoder is at work in another thread otherwise.
      void (working ?? Promise.resolve()).then(() => {
        if (!encoder || closed) return;
        if (encoder.setBitrate(bitrate)) return tellState();
        encoder.close();
        encoder = undefined;
      });
    },
    async close() {
      closed = true;
      cancelTimer();
      await working;
      encoder?.close();
      encoder = undefined;
    },
  };
}

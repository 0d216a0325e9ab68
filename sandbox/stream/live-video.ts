import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Band, joinBands } from '../capture/bands.ts';
import type { Box } from '../capture/box.ts';
import type { ScreenCapture } from '../capture/screen-capture.ts';
import { encodePatch } from '../encode/encode-patch.ts';
import { bufferSeconds, type Effort } from '../encode/encoder-settings.ts';
import type { NodeAv } from '../encode/node-av.ts';
import { type AccessUnit, openVideoEncoder, type VideoEncoder } from '../encode/video-encoder.ts';
import type { ScreenSize } from '../x11/screen.ts';
import { createMotion, type MadePicture } from './motion.ts';
import { createPace } from './pace.ts';
import { createPatches } from './patches.ts';
import { createRefinement } from './refinement.ts';
import type { EncoderName, EncodingState } from './streamer.ts';

/** One encoded picture with its place in the stream. */
export interface LivePicture extends AccessUnit {
  /** Grows by one with each picture; wraps at 2^32. */
  sequence: number;
  width: number;
  height: number;
}

/** A small change that goes without the encoder. */
export interface LivePatch {
  /** Among those of the pictures. */
  sequence: number;
  ptsMicroseconds: bigint;
  x: number;
  y: number;
  /** A PNG. */
  data: Buffer;
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
  /** Whether those who would take it can show patches: a file cannot, and is behind until the next picture. */
  takesPatches(): boolean;
  /** How long a change that went as a patch may be missing from the pictures, in milliseconds. */
  behindAtMostMs(): number;
  publish(picture: LivePicture): void;
  publishPatch(patch: LivePatch): void;
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
  /** Resolves when the last picture shows all that was shown as patches. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
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

/**
 * Makes live video of a captured screen: grab, convert, encode, publish, one picture after the other. A small change goes as a patch
 * instead, and becomes part of the video with the next picture.
 */
export function createLiveVideo(options: LiveVideoOptions): LiveVideo {
  const { av, capture, fps } = options;
  const pace = createPace(fps);
  const refinement = createRefinement();
  const patches = createPatches(options.bitrate);
  const threads = Math.min(availableParallelism(), slicesAtMost);
  let effort: Effort = availableParallelism() >= coresForMoreEffort ? 'veryfast' : 'ultrafast';
  let { bitrate } = options;
  const motion = createMotion(() => bitrate);
  let encoder: VideoEncoder | undefined;
  /** The quantiser that it was opened with; null: it controls its rate. */
  let encoderQuantizer: number | null = null;
  let told: EncodingState | undefined;
  let encoderSize = { width: 0, height: 0 };
  let keyWanted = true;
  let lastKeyAt = Number.NEGATIVE_INFINITY;
  let lastPts = 0n;
  let sequence = 0;
  /** What the encoder has not seen yet, since it went as patches; and since when. */
  let behind: Band[] = [];
  let behindSince = Number.POSITIVE_INFINITY;
  let encodingMs = 0;
  let judged = 0;
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  let working: Promise<void> | undefined;
  let closed = false;

  function hasWork(now: number): boolean {
    return capture.isDamaged || isPictureDue(now);
  }

  /** A picture is to be made whatever has changed: patches one after the other would hold it off for good. */
  function isPictureDue(now: number): boolean {
    return keyWanted || now >= refineAt() - 0.5 || now >= catchUpAt() - 0.5;
  }

  /** Motion is left as it is until it is over: what refines a picture is the rate control. */
  function refineAt(): number {
    return motion.restsAt ?? refinement.dueAt ?? Number.POSITIVE_INFINITY;
  }

  function catchUpAt(): number {
    return behindSince + options.behindAtMostMs();
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
      return;
    }
    const next = Math.min(refineAt(), catchUpAt());
    if (Number.isFinite(next)) timer = setTimeout(wake, Math.max(1, next - now));
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
    const rests = begunAt >= (motion.restsAt ?? Number.POSITIVE_INFINITY) - 0.5;
    if (rests || keyWanted) motion.end();
    const opened = await openEncoder(rests);
    if (closed) return;
    const changed = capture.takeChanged();
    const key = keyWanted;
    if (changed.box && !isPictureDue(begunAt) && sendPatch(changed.box, begunAt)) {
      behind = joinBands(behind, changed.bands, capture.size.height);
      behindSince = Math.min(behindSince, begunAt);
      tookSince(cpuBefore, begunAt);
      return;
    }
    const bands = joinBands(behind, changed.bands, capture.size.height);
    if (bands.length === 0 && !key && !refinement.isDue(begunAt)) return;
    keyWanted = false;
    behind = [];
    behindSince = Number.POSITIVE_INFINITY;

    const grabbedAt = performance.now();
    const units = await opened.encode(capture.pixels, bands, { ptsMicroseconds: nextPts(), key });
    const now = performance.now();
    for (const unit of units) {
      sequence = (sequence + 1) >>> 0;
      if (unit.key) lastKeyAt = now;
      options.publish({ ...unit, sequence, width: opened.width, height: opened.height });
      refinement.made(unit.quantizer, bands.length > 0, now);
      if (changed.box && leavesRateControlOut()) motion.made(madeOf(unit, changed.box), now);
    }
    tookSince(cpuBefore, begunAt);
    judgeEffort(now - grabbedAt);
  }

  /** With more effort x264 gives each part of a picture a quantiser of its own, which one for all of it would undo. */
  function leavesRateControlOut(): boolean {
    return options.encoder === 'libx264' && effort === 'ultrafast';
  }

  function madeOf({ key, data, quantizer }: AccessUnit, box: Box): MadePicture {
    const changed = (box.width * box.height) / (encoderSize.width * encoderSize.height);
    return { key, changed, bytes: data.byteLength, quantizer };
  }

  function tookSince(cpuBefore: NodeJS.CpuUsage, begunAt: number): void {
    const { user, system } = process.cpuUsage(cpuBefore);
    pace.took(begunAt, (user + system) / 1000);
  }

  /** False: it has to go as video. */
  function sendPatch(box: Box, now: number): boolean {
    if (!options.takesPatches() || !patches.suits(box, now)) return false;
    const data = encodePatch(capture.pixels, capture.size.width, box);
    if (!patches.allows(data.byteLength, now)) return false;
    sequence = (sequence + 1) >>> 0;
    options.publishPatch({ sequence, ptsMicroseconds: nextPts(), x: box.left, y: box.top, data });
    return true;
  }

  /**
   * The encoder for the screen as it is now; its first picture is a keyframe, and all of the screen is new to it.
   *
   * @param rests motion is over: nothing waits behind a larger keyframe, which spares the screen a moment of being coarse
   */
  async function openEncoder(rests: boolean): Promise<VideoEncoder> {
    while (!encoder || !isOpenFor(capture.size)) {
      encoder?.close();
      encoder = undefined;
      const { size } = capture;
      const { quantizer } = motion;
      encoder = await openVideoEncoder(av, {
        name: options.encoder,
        size,
        fps,
        bitrate,
        effort,
        threads,
        quantizer,
        firstPictureSeconds: rests ? restingPictureSeconds : bufferSeconds,
      });
      encoderSize = size;
      encoderQuantizer = quantizer;
      capture.markAllChanged();
      keyWanted = true;
      tellState();
    }
    return encoder;
  }

  function isOpenFor({ width, height }: ScreenSize): boolean {
    return width === encoderSize.width && height === encoderSize.height && motion.quantizer === encoderQuantizer;
  }

  /** Not each time that motion begins or ends: that changes nothing that anybody has chosen. */
  function tellState(): void {
    const now = { encoder: options.encoder, effort: options.encoder === 'libx264' ? effort : null, fps, bitrate };
    if (told?.effort === now.effort && told.bitrate === now.bitrate) return;
    told = now;
    options.encoding(now);
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
      patches.setBitrate(bitrate);
      motion.end();
      // Between two pictures only: the encoder is at work in another thread otherwise.
      void (working ?? Promise.resolve()).then(() => {
        if (!encoder || closed) return;
        if (encoder.setBitrate(bitrate)) return tellState();
        encoder.close();
        encoder = undefined;
      });
    },
    async caughtUp() {
      while (behind.length > 0 && !closed && options.isWanted()) {
        behindSince = Number.NEGATIVE_INFINITY;
        wake();
        await (working ?? sleep(1));
      }
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

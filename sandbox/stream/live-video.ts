import { setTimeout as sleep } from 'node:timers/promises';
import { type Band, joinBands } from '../capture/bands.ts';
import type { Box } from '../capture/box.ts';
import { encodePatch } from '../encode/encode-patch.ts';
import type { AccessUnit } from '../encode/video-encoder.ts';
import { createLiveEncoder, type LiveEncoderOptions } from './live-encoder.ts';
import { createPace } from './pace.ts';
import { createPatches } from './patches.ts';
import { createRefinement } from './refinement.ts';
import type { EncoderName } from './streamer.ts';

/** One encoded picture with its place in the stream. */
export interface LivePicture extends AccessUnit {
  /** Grows by one with each picture; wraps at 2^32. */
  sequence: number;
  width: number;
  height: number;
  encoder: EncoderName;
}

/** Whether both may be in one file: it has room for the size and the parameters of one encoder. */
export function fitOneFile(one: PictureFormat, other: PictureFormat): boolean {
  return one.width === other.width && one.height === other.height && one.encoder === other.encoder;
}

/** What pictures in one file share. */
export type PictureFormat = Pick<LivePicture, 'width' | 'height' | 'encoder'>;

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
export interface LiveVideoOptions extends LiveEncoderOptions {
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

/** After so many patches comes a picture: what is typed is in a clip a few letters at a time, and costs little more. */
const patchesInARow = 10;
/** A timer may be early by so much. */
const slackMs = 0.5;

/**
 * Makes live video of a captured screen: grab, convert, encode, publish, one picture after the other. A small change goes as a patch
 * instead, and becomes part of the video with the next picture.
 */
export function createLiveVideo(options: LiveVideoOptions): LiveVideo {
  const { capture } = options;
  const encoder = createLiveEncoder(options);
  const pace = createPace(options.fps);
  const refinement = createRefinement();
  const patches = createPatches(options.bitrate);
  let { bitrate } = options;
  let keyWanted = true;
  let lastKeyAt = Number.NEGATIVE_INFINITY;
  let lastPts = 0n;
  let sequence = 0;
  /** What the encoder has not seen yet, since it went as patches; how many they were, and since when. */
  let behind: Band[] = [];
  let behindBy = 0;
  let behindSince = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let closed = false;

  /** A picture is to be made whatever has changed: patches one after the other would hold it off for good. */
  function isPictureDue(now: number): boolean {
    return keyWanted || now >= nextPictureAt() - slackMs;
  }

  /** Motion is left as it is until it is over; what rests is refined; and what went as patches becomes part of the video. */
  function nextPictureAt(): number {
    const fineAt = encoder.restsAt ?? refinement.dueAt ?? Number.POSITIVE_INFINITY;
    return Math.min(fineAt, behindSince + options.behindAtMostMs());
  }

  /** Begins the next picture as soon as there is something to show and the pace allows it. */
  function wake(): void {
    if (working || closed || !options.isWanted()) return;
    clearTimeout(timer);
    const now = performance.now();
    if (capture.isDamaged || isPictureDue(now)) {
      const wait = pace.wait(now);
      if (wait <= slackMs) begin();
      else timer = setTimeout(wake, wait);
      return;
    }
    const next = nextPictureAt();
    if (Number.isFinite(next)) timer = setTimeout(wake, Math.max(1, next - now));
  }

  function begin(): void {
    const begunAt = performance.now();
    const cpuBefore = process.cpuUsage();
    working = show(begunAt)
      .then((shown) => {
        if (!shown) return;
        const { user, system } = process.cpuUsage(cpuBefore);
        pace.took(begunAt, (user + system) / 1000);
      })
      .catch((error) => {
        closed = true;
        options.failed(error);
      })
      .finally(() => {
        working = undefined;
        wake();
      });
  }

  /** Sends what has changed, one way or the other. False: there was nothing to send. */
  async function show(now: number): Promise<boolean> {
    if (capture.isDamaged) await capture.refresh();
    if (await encoder.prepare({ now, key: keyWanted })) keyWanted = true;
    if (closed) return false;
    const { bands: changed, box } = capture.takeChanged();
    const bands = joinBands(behind, changed, capture.size.height);
    if (box && behindBy < patchesInARow && !isPictureDue(now) && sendPatch(box, now)) {
      behind = bands;
      behindBy += 1;
      behindSince = Math.min(behindSince, now);
      return true;
    }
    if (bands.length === 0 && !keyWanted && !refinement.isDue(now)) return false;
    await sendPicture(bands, box);
    return true;
  }

  async function sendPicture(bands: readonly Band[], box: Box | null): Promise<void> {
    const key = keyWanted;
    keyWanted = false;
    behind = [];
    behindBy = 0;
    behindSince = Number.POSITIVE_INFINITY;
    const units = await encoder.encode({ bands, box, ptsMicroseconds: nextPts(), key });
    const { width, height, name } = encoder;
    const now = performance.now();
    for (const unit of units) {
      if (unit.key) lastKeyAt = now;
      options.publish({ ...unit, sequence: nextSequence(), width, height, encoder: name });
      refinement.made(unit.quantizer, bands.length > 0, now);
    }
  }

  /** False: it has to go as video. */
  function sendPatch(box: Box, now: number): boolean {
    if (!options.takesPatches() || !patches.suits(box, now)) return false;
    const data = encodePatch(capture.pixels, capture.size.width, box);
    if (!patches.allows(data.byteLength, now)) return false;
    options.publishPatch({ sequence: nextSequence(), ptsMicroseconds: nextPts(), x: box.left, y: box.top, data });
    return true;
  }

  function nextSequence(): number {
    sequence = (sequence + 1) >>> 0;
    return sequence;
  }

  /** Microseconds of the host's clock, always later than the one before. */
  function nextPts(): bigint {
    const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
    lastPts = now > lastPts ? now : lastPts + 1n;
    return lastPts;
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
      void (working ?? Promise.resolve()).then(() => encoder.setBitrate(bitsPerSecond));
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
      clearTimeout(timer);
      await working;
      encoder.close();
    },
  };
}

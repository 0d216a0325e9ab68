import type { ScreenCapture } from '../capture/screen-capture.ts';
import type { NodeAv } from '../encode/node-av.ts';
import { codecs, encodePatch, encodeVideo } from '../protocol.ts';
import type { FanOut } from './fan-out.ts';
import { createLiveVideo, type LivePatch, type LivePicture } from './live-video.ts';
import { createClipRing } from './recordings/clip-ring.ts';
import { createRecorder } from './recordings/recorder.ts';
import type { EncoderName, Encoders, EncodingState } from './streamer.ts';

/** What a feed is made with. */
export interface VideoFeedOptions {
  av: NodeAv;
  capture: ScreenCapture;
  encoders: Encoders;
  fps: number;
  bitrate: number;
  /** The folder that recordings go to. */
  recordings: string;
  /** Nothing is lost to those who watch: this recording ends, and the next activation tries again. */
  recordingFailed(error: unknown): void;
  fanOut: FanOut;
  /** This encoder is of no use any more; the next goes on. */
  replaced(name: EncoderName, error: unknown): void;
  /** None is of any use any more. */
  failed(error: unknown): void;
  encoding(state: EncodingState): void;
}

/** One encoder's pictures, to all viewers, to the file that is being recorded, and to the memory of the last minute. */
export interface VideoFeed {
  /** The screen has changed. */
  damaged(): void;
  requestKeyframe(): void;
  setBitrate(bitsPerSecond: number): void;
  record(activation: string | null): void;
  /** @throws NothingRecordedError */
  clip(seconds: number): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * A recording can be wound to its keyframes, and a clip begins with one. They are made with a change of the screen only, for a recording
 * every ten seconds at most, for clips every minute.
 */
const keyframeEveryMs = { recording: 10_000, clips: 60_000 };

/** A clip begins with what leads up to it from its keyframe: so many pictures at most, half a second of them and a moment to decode them. */
const picturesAtMost = 600;

/** A recording shows what went as a patch this much later; the memory of the last minute may be further behind, since a clip waits for it. */
const behindAtMostMs = { recording: 1000, clips: 10_000 };

/** Joins live video with those who take it. */
export function createVideoFeed(options: VideoFeedOptions): VideoFeed {
  const { av, fanOut } = options;
  const ring = createClipRing(av);
  const recorder = createRecorder(av, options.recordings, options.recordingFailed);
  const isWanted = () => recorder.isRecording || fanOut.isReady;
  const video = createLiveVideo({
    ...options,
    isWanted,
    takesPatches: () => fanOut.watching > 0,
    behindAtMostMs: () => (recorder.isRecording ? behindAtMostMs.recording : behindAtMostMs.clips),
    publish,
    publishPatch,
  });

  let sinceKeyframe = 0;

  function publish(picture: LivePicture): void {
    sinceKeyframe = picture.key ? 0 : sinceKeyframe + 1;
    const frame = encodeVideo({ ...picture, codec: codecs.h264 });
    fanOut.publish({ sequence: picture.sequence, key: picture.key, frame });
    ring.add(picture);
    recorder.add(picture);
  }

  function publishPatch(patch: LivePatch): void {
    fanOut.publish({ sequence: patch.sequence, key: false, frame: encodePatch(patch) });
  }

  return {
    damaged() {
      if (!isWanted()) ring.missed();
      const every = recorder.isRecording ? keyframeEveryMs.recording : keyframeEveryMs.clips;
      if (performance.now() - video.lastKeyAt > every || sinceKeyframe > picturesAtMost) video.requestKeyframe();
      else video.wake();
    },
    requestKeyframe: video.requestKeyframe,
    setBitrate: video.setBitrate,
    record(activation) {
      recorder.record(activation);
      if (activation !== null) video.requestKeyframe();
    },
    async clip(seconds) {
      await video.caughtUp();
      return ring.clip(seconds);
    },
    async close() {
      await video.close();
      await recorder.close();
    },
  };
}

import type { VideoFrame as EncodedPicture } from '../../sandbox/protocol.ts';
import { codecString } from './codec-string.ts';

/** A picture that decodes without an error can still never appear (seen on some phones): so long after a keyframe it counts as broken. */
export const firstPictureWithinMs = 2500;

/** The streamer's conversion from RGB, whatever an encoder writes into its stream: without it red comes out as 255,24,0. */
const colorSpace = { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'smpte170m', fullRange: false } as const;

/** What a decoder tells. */
export interface DecoderListener {
  /** The listener closes it. */
  painted(picture: VideoFrame): void;
  /** Everything up to this one has arrived and has been taken in. */
  acknowledge(sequence: number): void;
  /** It has stopped: what comes next must begin with a keyframe, or be something else than video. */
  failed(why: 'broken' | 'no_first_picture'): void;
}

/** True where the page may decode video: WebCodecs exists, which needs https or localhost. */
export function canDecode(): boolean {
  return isSecureContext && 'VideoDecoder' in globalThis;
}

/**
 * H.264 access units to pictures, by WebCodecs. A picture is acknowledged when the decoder has taken it in, not when it comes out:
 * some decoders keep the last one until another follows, and a still screen would look like a viewer that has fallen behind. One that
 * is really too slow takes nothing in, and falls behind as it should.
 */
export class PictureDecoder {
  readonly #listener: DecoderListener;
  #decoder: VideoDecoder | null = null;
  #configured = '';
  #takingIn: number[] = [];
  /** What came after them by another way, and is done. */
  #passed: number | null = null;
  #pushedTime = 0;
  #shownTime = 0;
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: DecoderListener) {
    this.#listener = listener;
  }

  push(picture: EncodedPicture): void {
    if (picture.key) this.#configure(picture);
    if (picture.key && this.#decoder === null) this.#fail('broken');
    // Nothing to decode it with yet. It has arrived all the same, and the streamer waits to hear that.
    if (this.#decoder === null) {
      this.#listener.acknowledge(picture.sequence);
      return;
    }
    this.#takingIn.push(picture.sequence);
    this.#pushedTime = Number(picture.ptsMicroseconds);
    this.#decoder.decode(
      new EncodedVideoChunk({
        type: picture.key ? 'key' : 'delta',
        timestamp: this.#pushedTime,
        data: picture.data as Uint8Array<ArrayBuffer>,
      }),
    );
    this.#acknowledge();
  }

  /** Pushed, and not come out yet. */
  get isPictureOnItsWay(): boolean {
    return this.#decoder !== null && this.#shownTime < this.#pushedTime;
  }

  /** Something with a number among those of the pictures was taken in otherwise: it is acknowledged after those before it. */
  passed(sequence: number): void {
    this.#passed = sequence;
    this.#acknowledge();
  }

  /** Forgets everything: what comes next begins with a keyframe. */
  reset(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
    this.#configured = '';
    const decoder = this.#decoder;
    this.#decoder = null;
    if (decoder && decoder.state !== 'closed') decoder.close();
    const newest = this.#takingIn.at(-1);
    this.#takingIn = [];
    this.#pushedTime = 0;
    this.#shownTime = 0;
    if (newest !== undefined) this.#listener.acknowledge(newest);
    this.#acknowledgePassed();
  }

  #configure({ data, width, height }: EncodedPicture): void {
    const codec = codecString(data);
    const wanted = `${codec} ${width}×${height}`;
    if (codec === null || (this.#decoder !== null && wanted === this.#configured)) return;
    this.reset();
    this.#configured = wanted;
    const decoder = new VideoDecoder({
      output: (picture) => this.#output(decoder, picture),
      error: (error) => {
        if (decoder !== this.#decoder) return;
        console.warn(`the video decoder has stopped: ${error.message}`);
        this.#fail('broken');
      },
    });
    decoder.addEventListener('dequeue', () => this.#acknowledge());
    decoder.configure({ codec, codedWidth: width, codedHeight: height, optimizeForLatency: true, colorSpace });
    this.#decoder = decoder;
    this.#watchdog = setTimeout(() => this.#fail('no_first_picture'), firstPictureWithinMs);
  }

  #output(decoder: VideoDecoder, picture: VideoFrame): void {
    if (decoder !== this.#decoder) {
      picture.close();
      return;
    }
    clearTimeout(this.#watchdog);
    this.#shownTime = picture.timestamp;
    this.#acknowledge();
    this.#listener.painted(picture);
  }

  #acknowledge(): void {
    const waiting = this.#decoder?.decodeQueueSize ?? 0;
    const taken = this.#takingIn.splice(0, Math.max(0, this.#takingIn.length - waiting));
    const newest = taken.at(-1);
    if (newest !== undefined) this.#listener.acknowledge(newest);
    if (this.#takingIn.length === 0) this.#acknowledgePassed();
  }

  #acknowledgePassed(): void {
    if (this.#passed === null) return;
    this.#listener.acknowledge(this.#passed);
    this.#passed = null;
  }

  #fail(why: 'broken' | 'no_first_picture'): void {
    this.reset();
    this.#listener.failed(why);
  }
}

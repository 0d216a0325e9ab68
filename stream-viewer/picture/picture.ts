import type { VideoFrame as EncodedPicture, PatchFrame, ServerMessage, ViewerMessage } from '../../sandbox/protocol.ts';
import { createSlowLink } from '../connection/slow-link.ts';
import { Patches } from './patches.ts';
import type { Screen } from './screen.ts';
import { Stills } from './stills.ts';
import { canDecode, PictureDecoder } from './video-decoder.ts';

/** Why the picture is stills. */
export type WhyStills =
  /** The page is neither https nor localhost, or the browser is too old: there is no WebCodecs. */
  | 'insecure'
  | 'no_webcodecs'
  /** The host encodes nothing. */
  | 'no_encoder'
  /** Answers take too long, or the host says that this viewer cannot keep up. */
  | 'slow'
  /** Video came and no picture appeared, or the decoder gave up. */
  | 'no_first_picture'
  | 'broken';

/** Stills for these reasons last; for the others a person may try video again. */
export function mayRetry(why: WhyStills): boolean {
  return why === 'slow' || why === 'no_first_picture' || why === 'broken';
}

/** What the picture needs. */
export interface PicturePorts {
  screen: Screen;
  stills: { url: string; token(): string | null };
  send(message: ViewerMessage): void;
  acknowledge(sequence: number): void;
  /** Something is on the screen that wasn't: the first picture after a change, by which means. */
  shows(means: 'live' | 'stills'): void;
  /** Each picture that was painted. */
  painted(): void;
  /** Stills from now on and why, or null: video is on its way. */
  changed(why: WhyStills | null): void;
}

/** Video was asked for, and not even a keyframe came. */
const anyPictureWithinMs = 8000;
/** A decoder may fail so often within ten seconds before stills are the better picture. */
const failuresAtMost = 3;
const failuresWithinMs = 10_000;

/**
 * Decides whether the picture is video or stills, and keeps it so. From video to stills it goes by itself; back only by a person's tap,
 * since the link looks idle as soon as video stops and an automatic way back swung to and fro every two seconds.
 */
export class Picture {
  readonly #ports: PicturePorts;
  readonly #decoder: PictureDecoder;
  readonly #patches: Patches;
  readonly #stills: Stills;
  readonly #slowLink = createSlowLink();
  #why: WhyStills | null = canDecode() ? null : isSecureContext ? 'no_webcodecs' : 'insecure';
  #shown: 'live' | 'stills' | null = null;
  #failures: number[] = [];
  #nothingYet: ReturnType<typeof setTimeout> | undefined;

  constructor(ports: PicturePorts) {
    this.#ports = ports;
    this.#decoder = new PictureDecoder({
      painted: (picture) => {
        ports.screen.paint(picture);
        this.#patches.overPicture(picture.timestamp);
        picture.close();
        this.#painted('live');
      },
      acknowledge: (sequence) => ports.acknowledge(sequence),
      failed: (why) => this.#failed(why),
    });
    this.#patches = new Patches({
      paint: (image, at) => ports.screen.paintPatch(image, at),
      isPictureOnItsWay: () => this.#decoder.isPictureOnItsWay,
      acknowledge: (sequence) => this.#decoder.passed(sequence),
    });
    this.#stills = new Stills({
      ...ports.stills,
      width: () => ports.screen.shownWidth(),
      painted: (image) => {
        ports.screen.paint(image);
        image.close();
        this.#painted('stills');
      },
    });
  }

  get why(): WhyStills | null {
    return this.#why;
  }

  /** A connection has begun, or the stream has begun anew: its size, its codec, its encoder. */
  hello(hello: Extract<ServerMessage, { type: 'hello' }>): void {
    this.#beginAnew();
    this.#slowLink.forget();
    this.#ports.screen.resize(hello.width, hello.height);
    this.#shown = null;
    if (hello.codec === 'jpeg') {
      this.#useStills('no_encoder');
      return;
    }
    if (this.#why === 'no_encoder') this.#why = null;
    // A new streamer doesn't know yet what this viewer cannot take.
    if (this.#why) {
      this.#useStills(this.#why);
      return;
    }
    this.#expectVideo();
  }

  /** The connection is lost: what is on the screen stays there. */
  lost(): void {
    clearTimeout(this.#nothingYet);
    this.#beginAnew();
    this.#stills.stop();
    this.#shown = null;
  }

  video(picture: EncodedPicture): void {
    // Sent before the streamer heard that none are wanted.
    if (this.#why) {
      this.#ports.acknowledge(picture.sequence);
      return;
    }
    this.#decoder.push(picture);
  }

  patch(patch: PatchFrame): void {
    if (this.#why) this.#ports.acknowledge(patch.sequence);
    else this.#patches.push(patch);
  }

  /** What the streamer has decided about this viewer. Its "asked" is only the echo of what was asked here. */
  decided({ enabled, reason }: Extract<ServerMessage, { type: 'video' }>): void {
    if (enabled || this.#why || reason === 'asked') return;
    this.#useStills(reason === 'no_encoder' ? 'no_encoder' : 'slow');
  }

  roundTrip(ms: number): void {
    if (this.#slowLink.saw(ms) && !this.#why) this.#useStills('slow');
  }

  /** A person wants video again. */
  retry(): void {
    if (!this.#why || !mayRetry(this.#why)) return;
    this.#why = null;
    this.#failures = [];
    this.#slowLink.forget();
    this.#stills.stop();
    this.#ports.send({ type: 'set_video_enabled', enabled: true });
    this.#expectVideo();
  }

  #expectVideo(): void {
    clearTimeout(this.#nothingYet);
    this.#nothingYet = setTimeout(() => this.#useStills('no_first_picture'), anyPictureWithinMs);
    this.#ports.changed(null);
  }

  #useStills(why: WhyStills): void {
    clearTimeout(this.#nothingYet);
    this.#why = why;
    this.#beginAnew();
    this.#ports.send({ type: 'set_video_enabled', enabled: false });
    this.#stills.start();
    this.#ports.changed(why);
  }

  #beginAnew(): void {
    this.#decoder.reset();
    this.#patches.reset();
  }

  #failed(why: 'broken' | 'no_first_picture'): void {
    const now = performance.now();
    this.#failures = [...this.#failures.filter((at) => now - at < failuresWithinMs), now];
    if (why === 'no_first_picture' || this.#failures.length >= failuresAtMost) {
      this.#useStills(why);
      return;
    }
    // Off and on again: the streamer goes on with a keyframe.
    this.#ports.send({ type: 'set_video_enabled', enabled: false });
    this.#ports.send({ type: 'set_video_enabled', enabled: true });
  }

  #painted(means: 'live' | 'stills'): void {
    clearTimeout(this.#nothingYet);
    this.#ports.painted();
    if (this.#shown === means) return;
    this.#shown = means;
    this.#ports.shows(means);
  }
}

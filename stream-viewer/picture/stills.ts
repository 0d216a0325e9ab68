import { fetchStill, type StillAnswer } from './fetch-still.ts';
import { firstPace, nextPace, type Pace, pauseAfter, restQuality, wantsRest } from './still-pace.ts';

/** After an answer that was none, in milliseconds. The socket finds out what is wrong. */
const afterTroubleMs = 1000;

/** Where stills come from and go to. */
export interface StillPorts {
  url: string;
  token(): string | null;
  /** How many pixels wide the picture is shown. */
  width(): number;
  painted(image: ImageBitmap): void;
}

/** The picture as stills, polled one after the other while it is on. */
export class Stills {
  readonly #ports: StillPorts;
  #running: AbortController | null = null;

  constructor(ports: StillPorts) {
    this.#ports = ports;
  }

  start(): void {
    if (this.#running) return;
    this.#running = new AbortController();
    void this.#poll(this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
  }

  async #poll(signal: AbortSignal): Promise<void> {
    let pace = firstPace;
    /** How the still on the screen was asked for, and since when it has been true. */
    let shown: Pace = pace;
    let etag: string | null = null;
    let changedAt = performance.now();
    while (!signal.aborted) {
      const begun = performance.now();
      const rests = wantsRest(shown, begun - changedAt);
      const asked = rests ? { quality: restQuality, width: 1 } : pace;
      const answer: StillAnswer | null = document.hidden ? null : await this.#ask(asked, rests ? null : etag, signal);
      if (signal.aborted) return;
      if (answer?.kind === 'changed') {
        this.#ports.painted(answer.image);
        // The one for reading took its time because it is good.
        if (!rests) pace = nextPace(pace, answer.tookMs);
        if (answer.etag !== etag) changedAt = begun;
        etag = answer.etag;
        shown = asked;
      }
      const pause =
        answer === null || answer.kind === 'refused' ? afterTroubleMs : pauseAfter(answer.kind === 'changed');
      await waitFor(begun + pause - performance.now());
    }
  }

  /** Null: nothing came. */
  async #ask({ quality, width }: Pace, etag: string | null, signal: AbortSignal): Promise<StillAnswer | null> {
    const token = this.#ports.token();
    if (token === null) return null;
    const pixels = Math.max(160, Math.round((this.#ports.width() * width) / 80) * 80);
    try {
      return await fetchStill({ url: this.#ports.url, token, quality, width: pixels, etag, signal });
    } catch (error) {
      if (!signal.aborted) console.warn(`no still: ${error instanceof Error ? error.message : error}`);
      return null;
    }
  }
}

async function waitFor(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

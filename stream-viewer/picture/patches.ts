import type { PatchFrame } from '../../sandbox/protocol.ts';

/** What patches need. */
export interface PatchPorts {
  paint(image: ImageBitmap, at: { x: number; y: number }): void;
  /** Whether a picture is in the decoder. */
  isPictureOnItsWay(): boolean;
  acknowledge(sequence: number): void;
}

/** Beyond this the oldest are forgotten: a decoder that keeps pictures back for so long shows the next one soon after. */
const keptAtMost = 100;

interface Patch {
  /** Microseconds, on the same clock as the pictures'. */
  time: number;
  at: { x: number; y: number };
  image: ImageBitmap;
}

/**
 * Small changes, put over the picture as soon as they are here. A picture that was sent before such a change may come out of the decoder
 * after it, and doesn't show it yet: so patches are kept while one is on its way, and put over it again.
 */
export class Patches {
  readonly #ports: PatchPorts;
  #kept: Patch[] = [];
  /** They are shown in the order in which they came, whichever is read first. */
  #last: Promise<void> = Promise.resolve();
  #pictureTime = Number.NEGATIVE_INFINITY;
  /** What was begun before this changed is of another stream. */
  #stream = 0;
  /** The newest that is being read. */
  #reading: number | null = null;

  constructor(ports: PatchPorts) {
    this.#ports = ports;
  }

  push({ sequence, ptsMicroseconds, x, y, data }: PatchFrame): void {
    const stream = this.#stream;
    this.#reading = sequence;
    const reading = createImageBitmap(new Blob([data as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
    // Waiting for its turn, it may fail before anybody looks.
    reading.catch(() => undefined);
    this.#last = this.#last.then(async () => {
      try {
        const image = await reading;
        if (stream === this.#stream) this.#show({ time: Number(ptsMicroseconds), at: { x, y }, image });
        else image.close();
      } catch (error) {
        // The next picture shows what it would have shown.
        console.warn(`a patch cannot be read: ${error}`);
      }
      if (stream !== this.#stream) return;
      if (this.#reading === sequence) this.#reading = null;
      this.#ports.acknowledge(sequence);
    });
  }

  /** A picture was painted: what is newer than it goes over it again. */
  overPicture(time: number): void {
    this.#pictureTime = time;
    for (const { time: drawn, at, image } of this.#kept) if (drawn > time) this.#ports.paint(image, at);
    this.#forgetShown();
  }

  /** The stream begins anew. What was not read yet has arrived all the same, and the streamer waits to hear that. */
  reset(): void {
    this.#stream += 1;
    if (this.#reading !== null) this.#ports.acknowledge(this.#reading);
    this.#reading = null;
    this.#pictureTime = Number.NEGATIVE_INFINITY;
    for (const { image } of this.#kept.splice(0)) image.close();
  }

  #show(patch: Patch): void {
    this.#kept.push(patch);
    if (patch.time > this.#pictureTime) this.#ports.paint(patch.image, patch.at);
    this.#forgetShown();
  }

  /** A patch is of no more use when no older picture can come, or a newer one is there. */
  #forgetShown(): void {
    const nothingComes = !this.#ports.isPictureOnItsWay();
    const isOver = ({ time }: Patch) => nothingComes || time <= this.#pictureTime;
    const over = this.#kept.filter((patch, index) => isOver(patch) || index < this.#kept.length - keptAtMost);
    for (const { image } of over) image.close();
    this.#kept = this.#kept.filter((patch) => !over.includes(patch));
  }
}

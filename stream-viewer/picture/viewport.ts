/** A point or size in CSS pixels of the stage, or in pixels of the stream. */
export interface Point {
  x: number;
  y: number;
}

/** So far can a picture be enlarged beyond the size at which it fits. */
const zoomAtMost = 8;

/**
 * Where the picture lies on the stage: fitted and centred at zoom 1, larger and moved about beyond. The stage is what is free between
 * the bars, in CSS pixels; the stream has its own pixels, which is what taps are about.
 */
export class Viewport {
  #stage = { width: 1, height: 1 };
  #stream = { width: 1, height: 1 };
  #zoom = 1;
  #x = 0;
  #y = 0;

  get zoom(): number {
    return this.#zoom;
  }

  /** CSS pixels for one of the stream's, and where the picture's upper left corner is. */
  get placement(): { scale: number; x: number; y: number } {
    return { scale: this.#scale(), x: this.#x, y: this.#y };
  }

  /** The zoom at which the picture leaves nothing of the stage free. */
  get zoomThatFills(): number {
    const across = this.#stage.width / this.#stream.width;
    const down = this.#stage.height / this.#stream.height;
    return Math.min(zoomAtMost, Math.max(across, down) / Math.min(across, down));
  }

  setStage(width: number, height: number): void {
    this.#stage = { width: Math.max(1, width), height: Math.max(1, height) };
    this.#settle();
  }

  setStream(width: number, height: number): void {
    if (width === this.#stream.width && height === this.#stream.height) return;
    this.#stream = { width: Math.max(1, width), height: Math.max(1, height) };
    this.#zoom = 1;
    this.#settle();
  }

  /** Enlarges by a factor around a point of the stage, which stays where it is. */
  zoomBy(factor: number, around: Point): void {
    const before = this.#scale();
    this.#zoom = Math.min(zoomAtMost, Math.max(1, this.#zoom * factor));
    const grown = this.#scale() / before;
    this.#x = around.x - (around.x - this.#x) * grown;
    this.#y = around.y - (around.y - this.#y) * grown;
    this.#settle();
  }

  panBy(dx: number, dy: number): void {
    this.#x += dx;
    this.#y += dy;
    this.#settle();
  }

  /** A point of the stage as a pixel of the stream, fractions included. It may lie outside of the picture. */
  toStream({ x, y }: Point): Point {
    const scale = this.#scale();
    return { x: (x - this.#x) / scale, y: (y - this.#y) / scale };
  }

  /** A point of the stage as the wire has it, of 65535; the picture's edge for what lies beyond. Null: it is far outside, and no tap on the picture. */
  toWire(point: Point, slack = 24): Point | null {
    const { x, y } = this.toStream(point);
    const { width, height } = this.#stream;
    const beyond = slack / this.#scale();
    if (x < -beyond || y < -beyond || x > width + beyond || y > height + beyond) return null;
    return { x: toWire(x, width), y: toWire(y, height) };
  }

  #scale(): number {
    const fit = Math.min(this.#stage.width / this.#stream.width, this.#stage.height / this.#stream.height);
    return fit * this.#zoom;
  }

  /** Centred in a direction in which it is smaller than the stage, else without a gap at its edges. */
  #settle(): void {
    const scale = this.#scale();
    this.#x = settled(this.#x, this.#stage.width, this.#stream.width * scale);
    this.#y = settled(this.#y, this.#stage.height, this.#stream.height * scale);
  }
}

function settled(at: number, room: number, size: number): number {
  if (size <= room) return (room - size) / 2;
  return Math.min(0, Math.max(room - size, at));
}

/** The pixel that this lies in as a share of 65535, where 0 is the first pixel and 65535 the last. */
function toWire(at: number, size: number): number {
  return Math.min(65535, Math.max(0, Math.round(((at - 0.5) / Math.max(1, size - 1)) * 65535)));
}

import type { Point, Viewport } from './viewport.ts';

/** The canvas on the stage: it has the stream's pixels, and the viewport says where it lies. */
export class Screen {
  readonly viewport: Viewport;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #moved: () => void;

  /** @param moved called when the picture lies elsewhere */
  constructor(stage: HTMLElement, canvas: HTMLCanvasElement, viewport: Viewport, moved: () => void) {
    const context = canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('this browser has no 2D canvas: use a newer one');
    this.viewport = viewport;
    this.#canvas = canvas;
    this.#context = context;
    this.#moved = moved;
    new ResizeObserver(() => {
      viewport.setStage(stage.clientWidth, stage.clientHeight);
      this.place();
    }).observe(stage);
    viewport.setStage(stage.clientWidth, stage.clientHeight);
  }

  get size(): { width: number; height: number } {
    return { width: this.#canvas.width, height: this.#canvas.height };
  }

  /** What was on it stays as long as its size does. */
  resize(width: number, height: number): void {
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.viewport.setStream(width, height);
    this.place();
  }

  paint(picture: VideoFrame | ImageBitmap): void {
    this.#context.drawImage(picture, 0, 0, this.#canvas.width, this.#canvas.height);
    this.#canvas.classList.add('painted');
  }

  /** A part of the picture, `at` being its upper left corner in pixels of the stream. */
  paintPatch(image: ImageBitmap, at: Point): void {
    this.#context.drawImage(image, at.x, at.y);
  }

  /** How many of the display's own pixels the picture is wide: more of them can't be seen. */
  shownWidth(): number {
    const shown = this.#canvas.width * this.viewport.placement.scale * devicePixelRatio;
    return Math.min(this.#canvas.width, Math.ceil(shown));
  }

  zoomBy(factor: number, around: Point): void {
    this.viewport.zoomBy(factor, around);
    this.place();
  }

  panBy(dx: number, dy: number): void {
    this.viewport.panBy(dx, dy);
    this.place();
  }

  place(): void {
    const { scale, x, y } = this.viewport.placement;
    this.#canvas.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.#moved();
  }
}

import type { ServerMessage } from '../../sandbox/protocol.ts';
import type { Point, Viewport } from './viewport.ts';

type CursorMessage = Extract<ServerMessage, { type: 'cursor' }>;

/** The pointer would vanish on a phone, where a wide desktop is a fifth of its size. */
const scaleAtLeast = 0.6;
/** So long after the person's own mouse has moved, its place is the truth: the server's comes later by the way there and back. */
const ownMouseForMs = 600;

/**
 * The Desktop's pointer. The stream has none in its pictures (moving it would change them all the time); its shape comes once and its
 * place as often as it moves, and it is drawn here.
 */
export class Cursor {
  readonly #canvas: HTMLCanvasElement;
  readonly #viewport: Viewport;
  readonly #size: () => { width: number; height: number };
  #at: Point = { x: 0, y: 0 };
  #hot: Point = { x: 0, y: 0 };
  #visible = false;
  #ownAt = Number.NEGATIVE_INFINITY;

  constructor(canvas: HTMLCanvasElement, viewport: Viewport, size: () => { width: number; height: number }) {
    this.#canvas = canvas;
    this.#viewport = viewport;
    this.#size = size;
  }

  async show({ x, y, visible, image }: CursorMessage): Promise<void> {
    if (performance.now() - this.#ownAt > ownMouseForMs) this.#at = { x, y };
    this.#visible = visible;
    this.place();
    if (!image) return;
    const bytes = Uint8Array.from(atob(image.png), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    this.#canvas.width = bitmap.width;
    this.#canvas.height = bitmap.height;
    this.#canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    this.#hot = { x: image.hotX, y: image.hotY };
    bitmap.close();
    this.place();
  }

  /** The person who controls has moved it here: it need not go to the Desktop and back first. Of 65535. */
  moveOwn(at: Point): void {
    this.#ownAt = performance.now();
    this.#at = at;
    this.place();
  }

  hide(): void {
    this.#visible = false;
    this.place();
  }

  place(): void {
    const { scale, x, y } = this.#viewport.placement;
    const { width, height } = this.#size();
    const own = Math.max(scale, scaleAtLeast);
    const left = x + (this.#at.x / 65535) * (width - 1) * scale - this.#hot.x * own;
    const top = y + (this.#at.y / 65535) * (height - 1) * scale - this.#hot.y * own;
    this.#canvas.style.transform = `translate(${left}px, ${top}px) scale(${own})`;
    this.#canvas.hidden = !this.#visible;
  }
}

import type { Point } from '../picture/viewport.ts';

/** Fingers are not still: less than so many CSS pixels is no movement. */
const moveFrom = 10;
const pinchFrom = 28;
const longPressMs = 500;
/** Two taps closer than this are meant for one place. */
const doubleTap = { withinMs: 400, pixels: 28 };

/** What fingers mean. All points are CSS pixels of the stage. */
export interface GestureListener {
  tap(at: Point): void;
  /** The finger has rested: a second button, unless it moves on now. */
  longPress(at: Point): void;
  /** It was lifted where it rested. */
  longPressEnd(at: Point): void;
  dragStart(at: Point): void;
  drag(to: Point): void;
  dragEnd(): void;
  pan(dx: number, dy: number): void;
  scroll(dx: number, dy: number, at: Point): void;
  pinch(factor: number, at: Point): void;
  /** True: one finger moves the picture about instead of dragging in it. */
  pans(): boolean;
}

type State = 'idle' | 'pressed' | 'resting' | 'dragging' | 'panning' | 'two' | 'pinching' | 'scrolling' | 'done';

/**
 * Fingers to gestures: tap, long press, drag (or pan), and with two fingers scrolling or pinching, whichever begins first. Once a second
 * finger has come the first one's tap is forgotten, and nothing more is meant until all are lifted.
 */
export class TouchGestures {
  readonly #listener: GestureListener;
  readonly #now: () => number;
  readonly #fingers = new Map<number, Point>();
  #state: State = 'idle';
  #start: Point = { x: 0, y: 0 };
  #last: Point = { x: 0, y: 0 };
  #spread = 0;
  #tapped: { at: Point; time: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: GestureListener, now: () => number = () => performance.now()) {
    this.#listener = listener;
    this.#now = now;
  }

  down(id: number, at: Point): void {
    this.#fingers.set(id, at);
    if (this.#fingers.size === 1) {
      this.#state = 'pressed';
      this.#start = this.#last = at;
      this.#timer = setTimeout(() => this.#rest(), longPressMs);
    } else if (this.#fingers.size === 2 && this.#state !== 'done') {
      this.#leave();
      this.#state = 'two';
      this.#start = this.#last = this.#centre();
      this.#spread = this.#distance();
    }
  }

  move(id: number, to: Point): void {
    if (!this.#fingers.has(id)) return;
    this.#fingers.set(id, to);
    if (this.#fingers.size === 2) this.#moveTwo();
    else if (this.#fingers.size === 1) this.#moveOne(to);
  }

  up(id: number): void {
    if (!this.#fingers.delete(id)) return;
    if (this.#fingers.size > 0) {
      this.#state = 'done';
      return;
    }
    if (this.#state === 'pressed') this.#tap();
    if (this.#state === 'resting') this.#listener.longPressEnd(this.#start);
    this.#leave();
    this.#state = 'idle';
  }

  /** The system has taken the fingers for something of its own. */
  cancel(): void {
    this.#fingers.clear();
    this.#leave();
    this.#state = 'idle';
  }

  #leave(): void {
    clearTimeout(this.#timer);
    if (this.#state === 'dragging') this.#listener.dragEnd();
  }

  #rest(): void {
    this.#state = 'resting';
    this.#listener.longPress(this.#start);
  }

  #tap(): void {
    const { time, at } = this.#tapped ?? { time: Number.NEGATIVE_INFINITY, at: this.#start };
    const isSecond = this.#now() - time < doubleTap.withinMs && apart(at, this.#start) < doubleTap.pixels;
    const place = isSecond ? at : this.#start;
    this.#tapped = { at: place, time: this.#now() };
    this.#listener.tap(place);
  }

  #moveOne(to: Point): void {
    if (this.#state === 'pressed' || this.#state === 'resting') {
      if (apart(this.#start, to) < moveFrom) return;
      clearTimeout(this.#timer);
      // Whoever has waited first wants to drag, even where a finger otherwise moves the picture.
      this.#state = this.#state === 'pressed' && this.#listener.pans() ? 'panning' : 'dragging';
      if (this.#state === 'dragging') this.#listener.dragStart(this.#start);
    }
    if (this.#state === 'dragging') this.#listener.drag(to);
    if (this.#state === 'panning') this.#listener.pan(to.x - this.#last.x, to.y - this.#last.y);
    this.#last = to;
  }

  #moveTwo(): void {
    const centre = this.#centre();
    const spread = this.#distance();
    if (this.#state === 'two') {
      if (Math.abs(spread - this.#spread) > pinchFrom) this.#state = 'pinching';
      else if (apart(this.#start, centre) > moveFrom) this.#state = 'scrolling';
      else return;
    }
    const dx = centre.x - this.#last.x;
    const dy = centre.y - this.#last.y;
    if (this.#state === 'pinching') {
      this.#listener.pan(dx, dy);
      if (spread > 0 && this.#spread > 0) this.#listener.pinch(spread / this.#spread, centre);
      this.#spread = spread;
    }
    // The content follows the fingers: it moves down when they do, which is scrolling up.
    if (this.#state === 'scrolling') this.#listener.scroll(-dx, -dy, centre);
    this.#last = centre;
  }

  #centre(): Point {
    const [a, b] = this.#both();
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  #distance(): number {
    const [a, b] = this.#both();
    return apart(a, b);
  }

  #both(): [Point, Point] {
    const [a, b] = [...this.#fingers.values()];
    const first = a ?? this.#start;
    return [first, b ?? first];
  }
}

function apart(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

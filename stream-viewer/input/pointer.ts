import type { Input } from '../../sandbox/protocol.ts';
import type { Cursor } from '../picture/cursor.ts';
import type { Screen } from '../picture/screen.ts';
import type { Point } from '../picture/viewport.ts';
import type { InputGate } from './input-gate.ts';
import { TouchGestures } from './touch-gestures.ts';

/** X numbers buttons 1 left, 2 middle, 3 right; 4 to 7 are a wheel's. By MouseEvent.button. */
const xButtons = [1, 2, 3, 8, 9];
/** A wheel that counts lines or pages instead of pixels. */
const pixelsOf = [1, 20, 400];

/** What mouse and fingers need. */
export interface PointerPorts {
  stage: HTMLElement;
  screen: Screen;
  cursor: Cursor;
  gate: InputGate;
  /** A mouse was pressed or a finger tapped here, in CSS pixels of the stage: the keyboard should follow, and an eye may want to see it. */
  touched(at: Point, by: 'mouse' | 'finger'): void;
}

/** Mouse, pen and fingers on the stage become the Desktop's pointer; pinching, and Ctrl with the wheel, enlarge the picture here. */
export function listenToPointer(ports: PointerPorts): void {
  const { stage, screen, gate } = ports;
  const turn = wheel();
  const gestures = touch(ports, turn);

  stage.addEventListener('pointerdown', (event) => {
    stage.setPointerCapture(event.pointerId);
    const at = pointOf(stage, event);
    if (event.pointerType === 'touch') {
      event.preventDefault();
      return gestures.down(event.pointerId, at);
    }
    if (!pointTo(ports, at)) return;
    event.preventDefault();
    ports.touched(at, 'mouse');
    gate.act({ type: 'button', down: true, button: xButtons[event.button] ?? 1 });
  });
  stage.addEventListener('pointermove', (event) => {
    const at = pointOf(stage, event);
    if (event.pointerType === 'touch') return gestures.move(event.pointerId, at);
    const dragging = event.buttons !== 0;
    // Beside the picture the mouse is the page's own.
    stage.classList.toggle('over', pointTo(ports, at, dragging ? Number.POSITIVE_INFINITY : 0) && gate.controls);
  });
  stage.addEventListener('pointerup', (event) => {
    if (event.pointerType === 'touch') return gestures.up(event.pointerId);
    gate.act({ type: 'button', down: false, button: xButtons[event.button] ?? 1 });
  });
  stage.addEventListener('pointercancel', (event) => {
    if (event.pointerType === 'touch') return gestures.cancel();
    gate.releaseAll();
  });
  stage.addEventListener('contextmenu', (event) => event.preventDefault());
  stage.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const at = pointOf(stage, event);
      // A trackpad's pinch comes as this, too.
      if (event.ctrlKey) return screen.zoomBy(Math.exp(-event.deltaY / 100), at);
      const unit = pixelsOf[event.deltaMode] ?? 1;
      if (pointTo(ports, at)) gate.act(...turn(event.deltaX * unit, event.deltaY * unit));
    },
    { passive: false },
  );
}

function touch(ports: PointerPorts, turn: ReturnType<typeof wheel>): TouchGestures {
  const { screen, gate, touched } = ports;
  const click = (at: Point, button: number): void => {
    touched(at, 'finger');
    if (!pointTo(ports, at)) return;
    gate.act({ type: 'button', down: true, button }, { type: 'button', down: false, button });
  };
  return new TouchGestures({
    tap: (at) => click(at, 1),
    longPress: () => void navigator.vibrate?.(15),
    longPressEnd: (at) => click(at, 3),
    dragStart(at) {
      if (pointTo(ports, at)) gate.act({ type: 'button', down: true, button: 1 });
    },
    drag: (to) => void pointTo(ports, to, Number.POSITIVE_INFINITY),
    dragEnd: () => gate.act({ type: 'button', down: false, button: 1 }),
    pan: (dx, dy) => screen.panBy(dx, dy),
    pinch: (factor, at) => screen.zoomBy(factor, at),
    scroll(dx, dy, at) {
      if (gate.mode === 'watch') return screen.panBy(-dx, -dy);
      const { scale } = screen.viewport.placement;
      if (pointTo(ports, at)) gate.act(...turn(dx / scale, dy / scale));
    },
    // Who may only watch has nothing to drag.
    pans: () => screen.viewport.zoom > 1.01 || gate.mode === 'watch',
  });
}

/** The wire has whole pixels; what is left of slow fingers is kept for the next turn. */
function wheel(): (dx: number, dy: number) => Input[] {
  let x = 0;
  let y = 0;
  return (dx, dy) => {
    x += dx;
    y += dy;
    const turned: Input = { type: 'wheel', dx: Math.trunc(x), dy: Math.trunc(y) };
    x -= turned.dx;
    y -= turned.dy;
    return turned.dx === 0 && turned.dy === 0 ? [] : [turned];
  };
}

/** Moves the Desktop's pointer there. False: that isn't on the picture. */
function pointTo({ screen, cursor, gate }: PointerPorts, at: Point, slack?: number): boolean {
  const wire = screen.viewport.toWire(at, slack);
  if (!wire) return false;
  if (gate.controls) cursor.moveOwn(wire);
  gate.act({ type: 'pointer', ...wire });
  return true;
}

function pointOf(stage: HTMLElement, event: MouseEvent): Point {
  const { left, top } = stage.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

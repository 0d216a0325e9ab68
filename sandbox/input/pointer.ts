import { InputRefusedError } from '../stream/streamer.ts';
import type { XConnection } from '../x11/connect.ts';
import type { XScreen } from '../x11/screen.ts';

/** The buttons that can be pressed. 4 to 7 are what X makes of a wheel. */
const buttons = new Map([
  [1, 'left'],
  [2, 'middle'],
  [3, 'right'],
  [8, 'back'],
  [9, 'forward'],
]);

/** As Chromium counts: a notch of the wheel scrolls 53 pixels; viewers in a browser report pixels. */
const pixelsANotch = 53;
/** So much is done of one wheel message; a page that asks for more would hold up everything behind it. */
const notchesAtOnce = 100;
const wheelButtons = { up: 4, down: 5, left: 6, right: 7 };

/** The pointer of an X server, by XTEST. Nothing waits for the server. */
export interface Pointer {
  /** In pixels; beyond the screen's edge is at its edge. */
  moveTo(x: number, y: number): void;
  moveBy(dx: number, dy: number): void;
  /** @throws InputRefusedError for a button that there is not */
  button(button: number, down: boolean): void;
  /** In pixels; what is less than a notch counts next time. Positive is down and right. */
  wheel(dx: number, dy: number): void;
  /** In notches. */
  scroll(dx: number, dy: number): void;
  /** Buttons that are down come up, and what was left of a notch is forgotten. */
  releaseAll(): void;
}

export function createPointer(x: XConnection, screen: XScreen): Pointer {
  const down = new Set<number>();
  let rest = { dx: 0, dy: 0 };

  function fake(type: number, detail: number, toX = 0, toY = 0): void {
    x.xtest.FakeInput(type, detail, 0, x.root, toX, toY);
  }

  function turn(button: number, times: number): void {
    for (let turned = 0; turned < Math.min(times, notchesAtOnce); turned++) {
      fake(x.xtest.ButtonPress, button);
      fake(x.xtest.ButtonRelease, button);
    }
  }

  function scroll(dx: number, dy: number): void {
    turn(dy > 0 ? wheelButtons.down : wheelButtons.up, Math.abs(dy));
    turn(dx > 0 ? wheelButtons.right : wheelButtons.left, Math.abs(dx));
  }

  return {
    moveTo: (toX, toY) => {
      const { width, height } = screen.size;
      fake(x.xtest.MotionNotify, 0, clamped(toX, width), clamped(toY, height));
    },
    moveBy: (dx, dy) => fake(x.xtest.MotionNotify, 1, dx, dy),
    button: (button, isDown) => {
      if (!buttons.has(button)) {
        const valid = [...buttons].map(([number, name]) => `${number} ${name}`).join(', ');
        throw new InputRefusedError(`there is no button ${button} (valid: ${valid})`);
      }
      if (isDown) down.add(button);
      else down.delete(button);
      fake(isDown ? x.xtest.ButtonPress : x.xtest.ButtonRelease, button);
    },
    wheel: (dx, dy) => {
      const turned = { dx: rest.dx + dx / pixelsANotch, dy: rest.dy + dy / pixelsANotch };
      const notches = { dx: Math.trunc(turned.dx), dy: Math.trunc(turned.dy) };
      rest = { dx: turned.dx - notches.dx, dy: turned.dy - notches.dy };
      scroll(notches.dx, notches.dy);
    },
    scroll,
    releaseAll: () => {
      for (const button of down) fake(x.xtest.ButtonRelease, button);
      down.clear();
      rest = { dx: 0, dy: 0 };
    },
  };
}

function clamped(position: number, size: number): number {
  return Math.min(Math.max(Math.round(position), 0), size - 1);
}

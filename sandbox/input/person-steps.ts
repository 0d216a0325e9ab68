import type { Input } from '../protocol.ts';
import type { ScreenSize } from '../x11/screen.ts';
import { characterOfKeysym, isLevelSwitch, isModifier, isShift, keysym, nameOfKeysym } from './keysyms.ts';
import { pixelAt } from './scale.ts';

/** What a person did while they controlled, in words for the agent that works on afterwards. */
export interface PersonSteps {
  saw(input: Input): void;
  /** The steps since the last call, oldest first, 50 at most. Never what was typed, only how much: it may be a password. */
  take(): string[];
}

/** More steps than that say no more; the last ones count. */
const stepsAtMost = 50;
/** A button that comes up further away has dragged. */
const dragPixels = 5;

const buttonNames = new Map([
  [1, 'left'],
  [2, 'middle'],
  [3, 'right'],
  [8, 'back'],
  [9, 'forward'],
]);
const heldNames = new Map<number, string>([
  [keysym.controlLeft, 'ctrl'],
  [keysym.controlRight, 'ctrl'],
  [keysym.altLeft, 'alt'],
  [keysym.altRight, 'alt'],
  [keysym.metaLeft, 'alt'],
  [keysym.metaRight, 'alt'],
  [keysym.superLeft, 'super'],
  [keysym.superRight, 'super'],
  [keysym.shiftLeft, 'shift'],
  [keysym.shiftRight, 'shift'],
]);

/** A step, and how often it came in a row; of `typed` the characters are counted. */
interface Step {
  what: string;
  times: number;
}

const typed = 'typed';

export function createPersonSteps(size: () => ScreenSize): PersonSteps {
  let steps: Step[] = [];
  let dropped = 0;
  let at = { x: 0, y: 0 };
  let pressedAt = at;
  const held = new Set<number>();

  function did(what: string, times = 1): void {
    const last = steps.at(-1);
    if (last?.what === what) {
      last.times += times;
      return;
    }
    steps.push({ what, times });
    if (steps.length > stepsAtMost - 1) {
      steps.shift();
      dropped++;
    }
  }

  function keyDown(code: number): void {
    if (isModifier(code)) {
      if (!isLevelSwitch(code)) held.add(code);
      return;
    }
    const character = characterOfKeysym(code);
    const isShortcut = [...held].some((other) => !isShift(other));
    if (character !== undefined && !isShortcut) {
      did(typed);
      return;
    }
    const names = new Set([...held].map((other) => heldNames.get(other) ?? nameOfKeysym(other) ?? 'a key'));
    did(`pressed ${[...names, nameOf(code, character)].join('+')}`);
  }

  function buttonUp(button: number): void {
    const name = buttonNames.get(button);
    if (name === undefined) return;
    const isDrag = Math.hypot(at.x - pressedAt.x, at.y - pressedAt.y) > dragPixels;
    if (isDrag) did(`dragged from ${pressedAt.x}, ${pressedAt.y} to ${at.x}, ${at.y}`);
    else did(`clicked ${name} at ${pressedAt.x}, ${pressedAt.y}`);
  }

  return {
    saw: (input) => {
      switch (input.type) {
        case 'key':
          if (input.down) keyDown(input.keysym);
          else held.delete(input.keysym);
          return;
        case 'text':
          return did(typed, [...input.text].length);
        case 'pointer': {
          const { width, height } = size();
          at = { x: pixelAt(input.x, width), y: pixelAt(input.y, height) };
          return;
        }
        case 'motion':
          at = { x: at.x + input.dx, y: at.y + input.dy };
          return;
        case 'button':
          if (input.down) pressedAt = at;
          else buttonUp(input.button);
          return;
        case 'wheel':
          return did(`scrolled ${directionOf(input.dx, input.dy)}`);
      }
    },
    take: () => {
      const words = steps.map(inWords);
      if (dropped > 0) words.unshift(`did ${dropped} more ${dropped === 1 ? 'thing' : 'things'} before that`);
      steps = [];
      dropped = 0;
      held.clear();
      return words;
    },
  };
}

function nameOf(code: number, character: string | undefined): string {
  if (character === ' ') return 'space';
  return character ?? nameOfKeysym(code) ?? 'a key';
}

function directionOf(dx: number, dy: number): string {
  if (Math.abs(dx) > Math.abs(dy)) return dx > 0 ? 'right' : 'left';
  return dy > 0 ? 'down' : 'up';
}

function inWords({ what, times }: Step): string {
  if (what === typed) return times === 1 ? 'typed 1 character' : `typed ${times} characters`;
  // How many messages a wheel makes depends on the viewer's, and says nothing.
  if (times === 1 || what.startsWith('scrolled')) return what;
  return `${what}, ${times} times`;
}

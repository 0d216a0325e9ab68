import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentStep } from '../agent-step.ts';
import { InputRefusedError } from '../stream/streamer.ts';
import type { Clipboard } from '../x11/clipboard.ts';
import type { XConnection } from '../x11/connect.ts';
import type { XScreen } from '../x11/screen.ts';
import type { Keyboard } from './keyboard.ts';
import { keysymOfCharacter, readKeys } from './keysyms.ts';
import { pasteText } from './paste.ts';
import type { Pointer } from './pointer.ts';

/** What a step is done with. */
export interface Tools {
  x: XConnection;
  keyboard: Keyboard;
  pointer: Pointer;
  screen: XScreen;
  clipboard?: Clipboard;
}

const buttonNumbers = { left: 1, middle: 2, right: 3 };

/** A drag goes over so many points, so many milliseconds apart: programs take a jump for a click. */
const drag = { points: 12, everyMs: 12 };
/** A text longer than that is pasted where it can be. */
const typedAtMost = 200;

/**
 * Makes one thing that an agent does ready to be done.
 *
 * @throws InputRefusedError for a key that does not exist, a control character, or a place off the screen
 */
export function readyStep(step: AgentStep, tools: Tools): (signal?: AbortSignal) => Promise<void> {
  const { x, keyboard, pointer, screen, clipboard } = tools;
  switch (step.do) {
    case 'click':
      onScreen(screen, step.x, step.y);
      return async () => {
        pointer.moveTo(step.x, step.y);
        for (let clicks = 0; clicks < step.count; clicks++) {
          pointer.button(buttonNumbers[step.button], true);
          pointer.button(buttonNumbers[step.button], false);
        }
      };
    case 'move':
      onScreen(screen, step.x, step.y);
      return async () => pointer.moveTo(step.x, step.y);
    case 'drag':
      onScreen(screen, step.fromX, step.fromY);
      onScreen(screen, step.toX, step.toY);
      return () => dragged(step, pointer);
    case 'type':
      for (const character of step.text) keysymOfCharacter(character);
      return async (signal) => {
        const isLong = step.text.length > typedAtMost;
        if (clipboard && isLong && (await pasteText(step.text, { x, clipboard, keyboard }))) return;
        await keyboard.type(step.text, signal);
      };
    case 'key': {
      const { held, pressed } = readKeys(step.keys);
      return () => keyboard.chord(held, pressed);
    }
    case 'scroll':
      onScreen(screen, step.x, step.y);
      return async () => {
        pointer.moveTo(step.x, step.y);
        pointer.scroll(step.dx, step.dy);
      };
  }
}

async function dragged(step: Extract<AgentStep, { do: 'drag' }>, pointer: Pointer): Promise<void> {
  const { fromX, fromY, toX, toY } = step;
  pointer.moveTo(fromX, fromY);
  pointer.button(1, true);
  try {
    for (let point = 1; point <= drag.points; point++) {
      await sleep(drag.everyMs);
      const share = point / drag.points;
      pointer.moveTo(fromX + (toX - fromX) * share, fromY + (toY - fromY) * share);
    }
    await sleep(drag.everyMs);
  } finally {
    pointer.button(1, false);
  }
}

function onScreen(screen: XScreen, x: number, y: number): void {
  const { width, height } = screen.size;
  if (x >= 0 && y >= 0 && x < width && y < height) return;
  throw new InputRefusedError(`${x}, ${y} is off the screen (${width}×${height})`);
}

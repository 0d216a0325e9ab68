import type { AgentStep } from '../agent-step.ts';
import type { Input } from '../protocol.ts';
import type { Clipboard } from '../x11/clipboard.ts';
import type { XConnection } from '../x11/connect.ts';
import type { XScreen } from '../x11/screen.ts';
import { readyStep } from './agent-steps.ts';
import { createKeyboard } from './keyboard.ts';
import { createPointer } from './pointer.ts';
import { pixelAt } from './scale.ts';

/** What people and agents do on a Desktop's screen. Everything is done in the order of the calls, each after the one before. */
export interface DesktopInput {
  /**
   * Resolves when it has been done: 0.2–0.4 ms, a text that the keyboard lacks characters for 60 ms and more.
   *
   * @param signal breaks off what is not done yet, within a text, too; its reason is thrown
   * @throws InputRefusedError for a key or a button that there is not
   * @throws XLostError
   */
  apply(input: Input, signal?: AbortSignal): Promise<void>;
  /**
   * Every step is checked before the first is done.
   *
   * @param signal breaks off between steps, and within a text; its reason is thrown
   * @throws InputRefusedError for a key that does not exist, with the nearest that do, or a place off the screen
   */
  act(steps: readonly AgentStep[], signal?: AbortSignal): Promise<void>;
  /** Lets go of keys and buttons: whoever held them has gone. */
  releaseAll(): Promise<void>;
  /** Leaves keyboard and pointer as they were. The connection stays open. */
  close(): Promise<void>;
}

/** @param clipboard without it every text is typed, however long */
export async function createInput(x: XConnection, screen: XScreen, clipboard?: Clipboard): Promise<DesktopInput> {
  const keyboard = await createKeyboard(x);
  const pointer = createPointer(x, screen);
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(work);
    // Who called is told of a failure; who comes next only waits.
    last = done.catch(() => undefined);
    return done;
  }

  async function apply(input: Input, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    switch (input.type) {
      case 'key':
        return input.down ? keyboard.down(input.keysym) : keyboard.up(input.keysym);
      case 'button':
        return pointer.button(input.button, input.down);
      case 'pointer': {
        const { width, height } = screen.size;
        return pointer.moveTo(pixelAt(input.x, width), pixelAt(input.y, height));
      }
      case 'motion':
        return pointer.moveBy(input.dx, input.dy);
      case 'wheel':
        return pointer.wheel(input.dx, input.dy);
      case 'text':
        return keyboard.type(input.text, signal);
    }
  }

  function letGo(): void {
    keyboard.releaseAll();
    pointer.releaseAll();
  }

  return {
    apply: (input, signal) => inTurn(() => apply(input, signal)),
    act: async (steps, signal) => {
      const ready = steps.map((step) => readyStep(step, { x, keyboard, pointer, screen, clipboard }));
      await inTurn(async () => {
        for (const act of ready) {
          signal?.throwIfAborted();
          await act(signal);
        }
        await x.settled();
      });
    },
    releaseAll: () =>
      inTurn(async () => {
        letGo();
        await x.settled();
      }),
    close: () =>
      inTurn(async () => {
        letGo();
        await keyboard.close();
      }),
  };
}

import { describe, expect, it } from 'vitest';
import type { Input } from '../protocol.ts';
import { keysym } from './keysyms.ts';
import { createPersonSteps } from './person-steps.ts';
import { shareOf } from './scale.ts';

const size = { width: 1280, height: 720 };

describe('what a person did', () => {
  it('is told in words, once', () => {
    const steps = createPersonSteps(() => size);
    see(steps, click(320, 240), press(keysym.return), { type: 'wheel', dx: 0, dy: 400 });

    expect(steps.take()).toEqual(['clicked left at 320, 240', 'pressed Return', 'scrolled down']);
    expect(steps.take()).toEqual([]);
  });

  it('never tells what was typed, only how much', () => {
    const steps = createPersonSteps(() => size);
    see(steps, ...[...'s3cret'].flatMap((letter) => press(letter.charCodeAt(0))), {
      type: 'text',
      text: 'pässwört 🙂',
    });

    expect(steps.take()).toEqual(['typed 16 characters']);
  });

  it('tells shortcuts, and capital letters as typing', () => {
    const steps = createPersonSteps(() => size);
    see(
      steps,
      down(keysym.controlLeft),
      press(0x6c),
      up(keysym.controlLeft),
      down(keysym.shiftLeft),
      press(0x41),
      press(keysym.tab),
      up(keysym.shiftLeft),
    );

    expect(steps.take()).toEqual(['pressed ctrl+l', 'typed 1 character', 'pressed shift+Tab']);
  });

  it('puts together what was done again and again', () => {
    const steps = createPersonSteps(() => size);
    const wheel = { type: 'wheel', dx: 0, dy: -20 } as const;
    see(steps, click(5, 5), click(5, 5), press(keysym.backSpace), press(keysym.backSpace), wheel, wheel, wheel);

    expect(steps.take()).toEqual(['clicked left at 5, 5, 2 times', 'pressed BackSpace, 2 times', 'scrolled up']);
  });

  it('tells a drag from a click', () => {
    const steps = createPersonSteps(() => size);
    see(steps, point(10, 20), button(1, true), point(200, 300), button(1, false));

    expect(steps.take()).toEqual(['dragged from 10, 20 to 200, 300']);
  });

  it('tells the last fifty, and how many there were before', () => {
    const steps = createPersonSteps(() => size);
    for (let n = 0; n < 80; n++) see(steps, click(n, 0));

    const told = steps.take();

    expect(told).toHaveLength(50);
    expect(told[0]).toBe('did 31 more things before that');
    expect(told.at(-1)).toBe('clicked left at 79, 0');
  });
});

type Some = Input | Input[];

function see(steps: { saw(input: Input): void }, ...inputs: Some[]): void {
  for (const input of inputs.flat()) steps.saw(input);
}

function down(code: number): Input {
  return { type: 'key', down: true, keysym: code };
}

function up(code: number): Input {
  return { type: 'key', down: false, keysym: code };
}

function press(code: number): Input[] {
  return [down(code), up(code)];
}

function point(x: number, y: number): Input {
  return { type: 'pointer', x: shareOf(x, size.width), y: shareOf(y, size.height) };
}

function button(number: number, isDown: boolean): Input {
  return { type: 'button', down: isDown, button: number };
}

function click(x: number, y: number): Input[] {
  return [point(x, y), button(1, true), button(1, false)];
}

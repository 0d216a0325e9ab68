import { describe, expect, it } from 'vitest';
import { InputRefusedError } from '../stream/streamer.ts';
import type { EventWindow } from '../testing/event-window.ts';
import { hasXvfb } from '../testing/x-server.ts';
import { connectX } from '../x11/connect.ts';
import { openScreen } from '../x11/screen.ts';
import { createInput } from './create-input.ts';
import { keysym } from './keysyms.ts';
import { pixelAt, shareOf } from './scale.ts';
import { openDesk } from './testing/open-desk.ts';

it('a share of the screen is the pixel that it was made of, at every pixel', () => {
  for (const size of [320, 390, 844, 1080, 1920, 2400, 3840])
    for (let pixel = 0; pixel < size; pixel++) expect(pixelAt(shareOf(pixel, size), size)).toBe(pixel);
});

describe.skipIf(!hasXvfb)('the pointer (needs Xvfb)', () => {
  it('clicks at the pixel that was meant, whatever the size of the screen', async () => {
    await using desk = await openDesk({ width: 1920, height: 1200 });
    for (const size of [
      { width: 1920, height: 1080 },
      { width: 1280, height: 720 },
      { width: 390, height: 844 },
    ]) {
      await desk.screen.resize(size);
      const places = [
        { x: 0, y: 0 },
        { x: size.width - 1, y: size.height - 1 },
        { x: 123, y: 301 },
        { x: 17, y: 311 },
      ];
      for (const { x, y } of places) {
        await desk.input.apply({ type: 'pointer', x: shareOf(x, size.width), y: shareOf(y, size.height) });
        await desk.input.apply({ type: 'button', down: true, button: 1 });
        await desk.input.apply({ type: 'button', down: false, button: 1 });
        const press = (await desk.window.take()).find((event) => event.name === 'ButtonPress');
        expect(press).toMatchObject({ keycode: 1, rootx: x, rooty: y });
      }
    }
  });

  it('turns pixels of scrolling into notches, and keeps what is over', async () => {
    await using desk = await openDesk();
    for (const dy of [30, 30, 30, 30, -20]) await desk.input.apply({ type: 'wheel', dx: 0, dy });
    await desk.input.apply({ type: 'wheel', dx: -110, dy: 0 });

    expect(await buttonsPressed(desk.window)).toEqual([5, 5, 6, 6]);
  });

  it('does what an agent says: double clicks, drags, scrolls', async () => {
    await using desk = await openDesk();
    await desk.input.act([
      { do: 'click', x: 50, y: 60, button: 'right', count: 2 },
      { do: 'scroll', x: 10, y: 20, dx: 0, dy: 3 },
      { do: 'drag', fromX: 100, fromY: 100, toX: 300, toY: 200 },
    ]);

    const events = await desk.window.take();
    const buttons = events.filter(({ name }) => name.startsWith('Button'));
    const presses = buttons.filter(({ name }) => name === 'ButtonPress');
    expect(presses.map(({ keycode, rootx, rooty }) => [keycode, rootx, rooty])).toEqual([
      [3, 50, 60],
      [3, 50, 60],
      [5, 10, 20],
      [5, 10, 20],
      [5, 10, 20],
      [1, 100, 100],
    ]);
    expect(buttons.at(-1)).toMatchObject({ name: 'ButtonRelease', keycode: 1, rootx: 300, rooty: 200 });
    const dragged = events.filter(({ name, buttons: down }) => name === 'MotionNotify' && (down & 0x100) !== 0);
    expect(dragged.length).toBeGreaterThan(5);
  });

  it('refuses what cannot be, before anything is done', async () => {
    await using desk = await openDesk();
    const click = { do: 'click', x: 50, y: 60, button: 'left', count: 1 } as const;

    await expect(desk.input.act([click, { do: 'move', x: 800, y: 0 }])).rejects.toThrow(/off the screen \(800×600\)/);
    await expect(desk.input.act([click, { do: 'key', keys: 'ctrl+Retrun' }])).rejects.toThrow(/nearest: Return/);
    await expect(desk.input.apply({ type: 'button', down: true, button: 77 })).rejects.toThrow(InputRefusedError);
    await expect(desk.input.apply({ type: 'key', down: true, keysym: 0 })).rejects.toThrow(InputRefusedError);

    expect(await buttonsPressed(desk.window)).toEqual([]);
  });
});

describe.skipIf(!hasXvfb)('what is held down (needs Xvfb)', () => {
  it('comes up when whoever held it goes', async () => {
    await using desk = await openDesk();
    for (const code of [keysym.controlLeft, keysym.shiftLeft, 0x61])
      await desk.input.apply({ type: 'key', down: true, keysym: code });
    await desk.input.apply({ type: 'button', down: true, button: 1 });
    expect((await desk.state()) & 0xff).toBe(5);

    await desk.input.releaseAll();

    expect(await desk.state()).toBe(0);
    expect(await desk.keysDown()).toEqual([]);
  });

  it('comes up when the next process starts after one that died', async () => {
    await using desk = await openDesk();
    const x = await connectX(desk.display);
    const died = await createInput(x, await openScreen(x));
    await died.apply({ type: 'key', down: true, keysym: keysym.altLeft });
    await x.close();
    expect((await desk.keysDown()).length).toBe(1);

    await using next = await connectX(desk.display);
    await createInput(next, await openScreen(next));

    expect(await desk.keysDown()).toEqual([]);
  });
});

async function buttonsPressed(window: EventWindow): Promise<number[]> {
  return (await window.take()).filter(({ name }) => name === 'ButtonPress').map(({ keycode }) => keycode);
}

import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { hasXterm, openTestTerminal } from '../testing/terminal.ts';
import { hasXvfb, startTestXServer } from '../testing/x-server.ts';
import { connectX, type XConnection } from './connect.ts';
import { type CursorState, watchCursor } from './cursor.ts';

describe.skipIf(!hasXvfb)('the cursor (needs Xvfb)', () => {
  it('is told where it is, 30 times a second at most, and not at all while it rests', async () => {
    await using server = await startTestXServer({ width: 800, height: 600 });
    await using x = await connectX(server.display);
    const told: CursorState[] = [];
    const watch = await watchCursor(x, (state) => told.push(state));
    expect(watch.state).toMatchObject({ x: 400, y: 300 });

    const from = performance.now();
    for (let n = 0; n < 100; n++) {
      moveTo(x, 100 + n, 50);
      await sleep(5);
    }
    await expect.poll(() => told.at(-1)).toMatchObject({ x: 199, y: 50 });
    const moved = told.length;
    const seconds = (performance.now() - from) / 1000;
    await sleep(300);
    watch.stop();

    expect(moved).toBeGreaterThan(3);
    expect(moved).toBeLessThanOrEqual(Math.ceil(seconds * 30) + 1);
    expect(told.length).toBe(moved);
  });

  it.skipIf(!hasXterm)('has another picture over a text (needs xterm)', async () => {
    await using server = await startTestXServer({ width: 800, height: 600 });
    await using x = await connectX(server.display);
    moveTo(x, 790, 590);
    await using _terminal = await openTestTerminal(server.env);
    const shapes: CursorState[] = [];
    const watch = await watchCursor(x, (state, shaped) => {
      if (shaped) shapes.push(state);
    });

    moveTo(x, 50, 50);
    await expect.poll(() => shapes.length).toBeGreaterThan(0);
    watch.stop();

    const { shape } = shapes.at(-1) ?? watch.state;
    const picture = await sharp(shape.png).metadata();
    expect(shape.visible).toBe(true);
    expect(shape.hotX).toBeLessThan(picture.width);
    expect(shape.hotY).toBeLessThan(picture.height);
  });
});

function moveTo(x: XConnection, toX: number, toY: number): void {
  x.xtest.FakeInput(x.xtest.MotionNotify, 0, 0, x.root, toX, toY);
}

import { describe, expect, it } from 'vitest';
import { hasXvfb, startTestXServer } from '../testing/x-server.ts';
import { connectX } from './connect.ts';
import { openScreen, type ScreenSize, ScreenSizeRefusedError } from './screen.ts';

describe.skipIf(!hasXvfb)("a screen's size (needs Xvfb)", () => {
  it('changes to any size up to the one that the server was started with, back and forth', async () => {
    await using server = await startTestXServer({ width: 1920, height: 1200 });
    await using x = await connectX(server.display);
    const screen = await openScreen(x);

    for (const size of [
      { width: 1280, height: 720 },
      { width: 390, height: 844 },
      { width: 1920, height: 1200 },
      { width: 1280, height: 720 },
    ]) {
      await screen.resize(size);
      const root = await x.ask<ScreenSize>((reply) => x.client.GetGeometry(x.root, reply));
      expect({ width: root.width, height: root.height }).toEqual(size);
      expect(screen.size).toEqual(size);
    }
  });

  it('is told to others who look at it', async () => {
    await using server = await startTestXServer({ width: 1280, height: 1280 });
    await using x = await connectX(server.display);
    await using other = await connectX(server.display);
    const screen = await openScreen(x);
    const seen = await openScreen(other);
    const told = new Promise((resolve) => seen.onResized(resolve));

    await screen.resize({ width: 640, height: 480 });

    await expect(told).resolves.toEqual({ width: 640, height: 480 });
  });

  it('ends at the last of many changes that were asked for at once', async () => {
    await using server = await startTestXServer({ width: 1920, height: 1080 });
    await using x = await connectX(server.display);
    const screen = await openScreen(x);

    await Promise.all(Array.from({ length: 30 }, (_, n) => screen.resize({ width: 400 + n, height: 800 - n })));

    expect(screen.size).toEqual({ width: 429, height: 771 });
  });

  it('is refused beyond that, with what would help', async () => {
    await using server = await startTestXServer({ width: 800, height: 600 });
    await using x = await connectX(server.display);
    const screen = await openScreen(x);

    const refused = screen.resize({ width: 1024, height: 768 });

    await expect(refused).rejects.toThrow(ScreenSizeRefusedError);
    await expect(refused).rejects.toThrow('at most 800×600; start it with a larger -screen');
    await screen.resize({ width: 320, height: 240 });
  });
});

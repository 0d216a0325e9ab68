import type x11 from 'x11';
import type { XDisplay } from '../drivers/driver.ts';
import { connectX } from '../x11/connect.ts';
import { openScreen } from '../x11/screen.ts';

/** A program on the screen of a test: it draws rectangles over everything else, and can give the screen another size. */
export interface Painter {
  /** Resolves when it is on the screen. Colours are 0xRRGGBB. */
  fill(rectangle: x11.Rectangle, colour: number): Promise<void>;
  /** Many of one colour in one request: the texture of a page of text. */
  fillAll(rectangles: readonly x11.Rectangle[], colour: number): Promise<void>;
  /** By RANDR, as a resize on a person's request does; no larger than the screen was started with. */
  resizeScreen(width: number, height: number): Promise<void>;
  close(): Promise<void>;
}

/** Connects to a test's X server, and covers its screen with a black window to paint on. */
export async function createPainter(display: XDisplay): Promise<Painter> {
  const x = await connectX(display);
  const { client, root, screen } = x;
  const resizable = await openScreen(x);
  const window = client.AllocID();
  const context = client.AllocID();
  const { pixel_width: width, pixel_height: height } = screen;
  client.CreateWindow(window, root, 0, 0, width, height, 0, 0, 1, 0, { overrideRedirect: 1, backgroundPixel: 0 });
  client.MapWindow(window);
  client.CreateGC(context, window, { foreground: 0 });
  await x.settled();

  async function fillAll(rectangles: readonly x11.Rectangle[], colour: number): Promise<void> {
    client.ChangeGC(context, { foreground: colour });
    client.PolyFillRectangle(
      window,
      context,
      rectangles.flatMap((r) => [r.x, r.y, r.width, r.height]),
    );
    await x.settled();
  }

  return {
    fill: (rectangle, colour) => fillAll([rectangle], colour),
    fillAll,
    resizeScreen: (toWidth, toHeight) => resizable.resize({ width: toWidth, height: toHeight }),
    close: () => x.close(),
  };
}

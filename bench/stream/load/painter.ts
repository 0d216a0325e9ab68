import { setTimeout as sleep } from 'node:timers/promises';
import x11 from 'x11';
import type { XDisplay } from '../../../sandbox/drivers/driver.ts';
import { connectX } from '../../../sandbox/x11/connect.ts';
import type { DrawingClient } from '../drawing-client.ts';
import { filmPictures } from '../moving-pictures.ts';
import { uploadPicture } from '../upload-picture.ts';

/** Changes a part of a Desktop's screen, and sees the pointer move there. */
export interface Painter extends AsyncDisposable {
  /** Paints so often a second until it is stopped, and tells each time, by performance.now(), just before. */
  start(perSecond: number, painted: (at: number) => void): void;
  stop(): void;
  /** When the pointer came to this place, in pixels; by performance.now(). Throws an Error when it does not within 5 s. */
  pointerAt(x: number, y: number): Promise<number>;
}

const pictures = 8;

/** Covers a Desktop's screen from its upper left corner on with moving pictures of this size. */
export async function startPainter(display: XDisplay, size: { width: number; height: number }): Promise<Painter> {
  const x = await connectX(display);
  const client = x.client as unknown as DrawingClient;
  const window = client.AllocID();
  client.CreateWindow(window, x.root, 0, 0, size.width, size.height, 0, 0, 0, 0, {
    overrideRedirect: 1,
    eventMask: x11.eventMask.PointerMotion,
  });
  client.MapWindow(window);
  const pen = client.AllocID();
  client.CreateGC(pen, window, { graphicsExposures: 0 });
  const film = { box: { x: 0, y: 0, ...size }, pictures };
  const pixmaps: number[] = [];
  for (const pixels of filmPictures(film, false))
    pixmaps.push(uploadPicture(client, { root: x.root, pen }, pixels, size));
  const paint = (n: number) =>
    client.CopyArea(pixmaps[n % pictures] ?? 0, window, pen, 0, 0, 0, 0, size.width, size.height);
  paint(0);
  await x.settled();
  let timer: NodeJS.Timeout | undefined;

  return {
    start(perSecond, painted) {
      const began = performance.now();
      let n = 0;
      const next = () => {
        painted(performance.now());
        paint(++n);
        timer = setTimeout(next, Math.max(0, began + (n * 1000) / perSecond - performance.now()));
      };
      next();
    },
    stop: () => clearTimeout(timer),
    async pointerAt(wantedX, wantedY) {
      const { promise, resolve } = Promise.withResolvers<number>();
      const stop = x.onEvent((event) => {
        if (event.name === 'MotionNotify' && event.rootx === wantedX && event.rooty === wantedY)
          resolve(performance.now());
      });
      const late = new AbortController();
      const tooLate = sleep(5000, undefined, { signal: late.signal }).then(() => {
        throw new Error(`the pointer did not come to ${wantedX}, ${wantedY} within 5 s`);
      });
      return await Promise.race([promise, tooLate]).finally(() => {
        late.abort();
        stop();
      });
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await x.close();
    },
  };
}

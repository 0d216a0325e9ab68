import type { XConnection } from '../x11/connect.ts';
import type { ScreenSize } from '../x11/screen.ts';
import { bytesPerPixel, type Grabber } from './grabber.ts';

const zPixmap = 2;
const allPlanes = 0xffffffff;

/**
 * Grabs by the core protocol's GetImage: the pixels come over the socket. It works with every X server, and takes about 12 ms for a
 * whole screen of 1920×1080, where shared memory takes 1 to 2.
 */
export function createCoreGrabber(connection: XConnection, size: ScreenSize): Grabber {
  const { client, root } = connection;
  const stride = size.width * bytesPerPixel;
  const pixels = Buffer.alloc(stride * size.height);
  return {
    pixels,
    async grab(bands) {
      for (const { top, height } of bands) {
        const { data } = await connection.ask<{ depth: number; data: Buffer }>((reply) =>
          client.GetImage(zPixmap, root, 0, top, size.width, height, allPlanes, reply),
        );
        data.copy(pixels, top * stride, 0, height * stride);
      }
    },
    close() {},
  };
}

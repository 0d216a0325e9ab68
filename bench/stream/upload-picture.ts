import type { DrawingClient } from './drawing-client.ts';

/** TrueColor of 24 bits, four bytes a pixel: what Xvfb and Xtigervnc have. */
const depth = 24;

/** Makes a pixmap of these pixels (blue, green, red, nothing), in as many requests as the X server wants, and answers with its id. */
export function uploadPicture(
  client: DrawingClient,
  { root, pen }: { root: number; pen: number },
  pixels: Buffer,
  { width, height }: { width: number; height: number },
): number {
  const pixmap = client.AllocID();
  client.CreatePixmap(pixmap, root, depth, width, height);
  const rowBytes = width * 4;
  const rows = Math.floor((client.display.max_request_length * 4 - 64) / rowBytes);
  for (let y = 0; y < height; y += rows) {
    const band = pixels.subarray(y * rowBytes, Math.min(height, y + rows) * rowBytes);
    client.PutImage(2, pixmap, pen, width, band.length / rowBytes, 0, y, 0, depth, band);
  }
  return pixmap;
}

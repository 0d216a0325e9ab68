import { crc32, deflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Colour types 2 and 6 of PNG (section 11.2.2), by the bytes that a pixel has. */
const colourTypes = { 3: 2, 4: 6 } as const;

/**
 * A PNG of small pictures (a cursor: 0.1 ms), so that no image library has to be loaded for them.
 *
 * @param pixels red, green, blue, and alpha where there are four `channels`
 * @param level of zlib: 1 is fastest, 9 smallest
 */
export function encodePng(
  width: number,
  height: number,
  pixels: Buffer,
  { channels = 4, level = 6 }: { channels?: keyof typeof colourTypes; level?: number } = {},
): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  head[9] = colourTypes[channels];

  // Each row begins with its filter: 0, none.
  const rowBytes = width * channels;
  const rows = Buffer.alloc(height * (rowBytes + 1));
  for (let row = 0; row < height; row++)
    pixels.copy(rows, row * (rowBytes + 1) + 1, row * rowBytes, (row + 1) * rowBytes);

  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

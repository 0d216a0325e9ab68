import { crc32, deflateSync } from 'node:zlib';

/** A colour with its opacity, each of the four from 0 to 255. */
type Colour = readonly [number, number, number, number];

const accent: Colour = [0x4b, 0x3f, 0xbf, 255];
const white: Colour = [255, 255, 255, 255];
const nothing: Colour = [255, 255, 255, 0];

/** Two sockets of a switchboard and the cord between them, in a square of 1 by 1. */
const sockets = [
  { x: 0.3, y: 0.7 },
  { x: 0.7, y: 0.3 },
];
const ring = { radius: 0.13, half: 0.03 };
const plugRadius = 0.055;
const cordHalf = 0.028;

/** A cubic Bézier curve from plug to plug, as points close enough to look like a line. */
const cord = Array.from({ length: 61 }, (_, step) => {
  const t = step / 60;
  const at = (p0: number, p1: number, p2: number, p3: number) =>
    (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t ** 2 * (1 - t) * p2 + t ** 3 * p3;
  return { x: at(0.3, 0.75, 0.25, 0.7), y: at(0.7, 0.7, 0.3, 0.3) };
});

/** color.png of a Teams app: 192 by 192, full colour, filled to its edges. */
export function drawColourIcon(): Buffer {
  return png(192, (x, y) => (isDrawn(x, y) ? white : accent));
}

/** outline.png of a Teams app: 32 by 32, white on nothing. */
export function drawOutlineIcon(): Buffer {
  // Larger than in the other one: at this size nothing is lost at the edges.
  return png(32, (x, y) => (isDrawn((x - 0.5) / 1.3 + 0.5, (y - 0.5) / 1.3 + 0.5) ? white : nothing));
}

function isDrawn(x: number, y: number): boolean {
  const distance = (point: { x: number; y: number }) => Math.hypot(point.x - x, point.y - y);
  const onSocket = sockets.some((socket) => {
    const from = distance(socket);
    return from < plugRadius || Math.abs(from - ring.radius) < ring.half;
  });
  return onSocket || cord.some((point) => distance(point) < cordHalf);
}

const samples = [0.125, 0.375, 0.625, 0.875];

/** A PNG (ISO/IEC 15948): RGBA of 8 bits, one block of unfiltered rows; 16 samples a pixel make its edges smooth. */
function png(size: number, colourAt: (x: number, y: number) => Colour): Buffer {
  const rows = Buffer.alloc(size * (1 + 4 * size));
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const seen = samples.flatMap((dy) => samples.map((dx) => colourAt((x + dx) / size, (y + dy) / size)));
      for (let part = 0; part < 4; part++) {
        const sum = seen.reduce((total, colour) => total + (colour[part] ?? 0), 0);
        rows[y * (1 + 4 * size) + 1 + 4 * x + part] = Math.round(sum / seen.length);
      }
    }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(8 + body.length);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), 4 + body.length);
  return framed;
}

import { seededRandom } from '../../e2e/seeded-random.ts';
import type { Film } from './scenes.ts';

/** The side of the texture; a power of two, since it repeats. */
const side = 1024;
const grainLength = 1 << 20;

/** How a picture of a film lies over the texture: turned, moved. */
type Placement = { angle: number; x: number; y: number };

/**
 * The pictures of a film, four bytes a pixel (blue, green, red, nothing), always the same: something like a photograph, clouds with
 * things of sharp edges in front, that moves back and forth without a seam, under the grain of a camera. Neither flat areas, which
 * flatter the codecs of rectangles, nor a still picture beneath, which flatters those of video.
 *
 * @param turning swings about the middle of the screen; otherwise it circles
 */
export function* filmPictures({ box, pictures }: Pick<Film, 'box' | 'pictures'>, turning: boolean): Generator<Buffer> {
  const random = seededRandom(turning ? 7 : 11);
  const texture = drawTexture(random);
  const grain = Int8Array.from({ length: grainLength }, () => Math.round((random() + random() - 1) * 6));
  for (let picture = 0; picture < pictures; picture++) {
    const phase = (2 * Math.PI * picture) / pictures;
    const placement = turning
      ? { angle: 0.1 * Math.sin(phase), x: 0, y: 0 }
      : { angle: 0, x: 50 * Math.cos(phase), y: 50 * Math.sin(phase) };
    yield drawPicture(box, texture, grain, placement, Math.floor(random() * grainLength));
  }
}

function drawPicture(
  { width, height }: { width: number; height: number },
  texture: Uint8Array,
  grain: Int8Array,
  { angle, x: movedX, y: movedY }: Placement,
  grainFrom: number,
): Buffer {
  const pixels = Buffer.alloc(width * height * 4);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let to = 0;
  for (let y = 0; y < height; y++) {
    const [dx, dy] = [-width / 2, y - height / 2];
    let u = cos * dx - sin * dy + movedX + side;
    let v = sin * dx + cos * dy + movedY + side;
    for (let x = 0; x < width; x++, u += cos, v += sin, to += 4) {
      const from = 3 * (((v & (side - 1)) * side + (u & (side - 1))) | 0);
      const light = grain[(grainFrom + (to >> 2)) & (grainLength - 1)] ?? 0;
      // the texture keeps clear of both ends by more than the grain reaches
      pixels[to] = (texture[from + 2] ?? 0) + light;
      pixels[to + 1] = (texture[from + 1] ?? 0) + light;
      pixels[to + 2] = (texture[from] ?? 0) + light;
    }
  }
  return pixels;
}

/** Red, green, blue. */
function drawTexture(random: () => number): Uint8Array {
  const texture = new Float32Array(side * side * 3);
  for (const channel of [0, 1, 2])
    for (const [cell, weight] of [
      [256, 110],
      [64, 60],
      [16, 24],
      [4, 10],
    ] as const)
      addClouds(texture, channel, cell, weight, random);
  for (let thing = 0; thing < 60; thing++) addThing(texture, random);
  return Uint8Array.from(texture, (value) => Math.min(Math.max(value, 10), 245));
}

/** Random values on a grid of cells, with straight lines between. */
function addClouds(texture: Float32Array, channel: number, cell: number, weight: number, random: () => number): void {
  const across = side / cell;
  const grid = Float32Array.from({ length: across * across }, () => random() * weight);
  const at = (column: number, row: number) => grid[(row % across) * across + (column % across)] ?? 0;
  for (let y = 0; y < side; y++) {
    const row = Math.floor(y / cell);
    const below = (y % cell) / cell;
    for (let x = 0; x < side; x++) {
      const column = Math.floor(x / cell);
      const right = (x % cell) / cell;
      const upper = at(column, row) * (1 - right) + at(column + 1, row) * right;
      const lower = at(column, row + 1) * (1 - right) + at(column + 1, row + 1) * right;
      const index = 3 * (y * side + x) + channel;
      texture[index] = (texture[index] ?? 0) + upper * (1 - below) + lower * below;
    }
  }
}

/** A disc or a bar of one colour. */
function addThing(texture: Float32Array, random: () => number): void {
  const [centreX, centreY] = [random() * side, random() * side];
  const reach = 8 + random() * 40;
  const round = random() < 0.5;
  const colour = [random() * 255, random() * 255, random() * 255];
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) {
      if (round ? dx * dx + dy * dy > reach * reach : Math.abs(dy) > reach / 4) continue;
      const [x, y] = [Math.floor(centreX + dx) & (side - 1), Math.floor(centreY + dy) & (side - 1)];
      texture.set(colour, 3 * (y * side + x));
    }
}

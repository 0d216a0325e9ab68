import sharp from 'sharp';

/** A screen that exists only in memory, as X would give it: rows of blue, green, red, unused. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly pixels: Buffer;
  /** Draws what is to be seen at this step; false: nothing has changed. */
  draw(step: number): boolean;
}

/** The four colours of {@link quarters}, from the upper left by rows. */
export const quarterColours = {
  red: [220, 30, 30],
  green: [30, 170, 60],
  blue: [30, 60, 220],
  white: [245, 245, 245],
} as const;

/** Four quarters, each of one colour, and a grey block that moves along the middle. `moving` false: it doesn't. */
export function quarters(width: number, height: number, moving: () => boolean = () => true): Scene {
  const pixels = Buffer.alloc(width * height * 4, 255);
  const half = { x: width / 2, y: height / 2 };
  const corners = [
    [0, 0],
    [half.x, 0],
    [0, half.y],
    [half.x, half.y],
  ] as const;
  Object.values(quarterColours).forEach((colour, index) => {
    const [x = 0, y = 0] = corners[index] ?? [];
    fill(pixels, width, { x, y, width: half.x, height: half.y }, colour);
  });
  const block = Math.round(height / 10);
  const middle = half.y - block / 2;
  const beneath = Buffer.from(pixels);
  return {
    width,
    height,
    pixels,
    draw(step) {
      if (step > 0 && !moving()) return false;
      beneath.copy(pixels);
      fill(pixels, width, { x: (step * 7) % (width - block), y: middle, width: block, height: block }, [90, 90, 90]);
      return true;
    },
  };
}

/** What a screenshot of it would be. */
export async function jpegOf(scene: Scene, quality: number, width: number): Promise<Buffer> {
  const rgba = Buffer.from(scene.pixels);
  swapRedAndBlue(rgba);
  return await sharp(rgba, { raw: { width: scene.width, height: scene.height, channels: 4 } })
    .removeAlpha()
    .resize({ width, withoutEnlargement: true })
    .jpeg({ quality })
    .toBuffer();
}

function swapRedAndBlue(pixels: Buffer): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const red = pixels[at] ?? 0;
    pixels[at] = pixels[at + 2] ?? 0;
    pixels[at + 2] = red;
  }
}

function fill(
  pixels: Buffer,
  stride: number,
  area: { x: number; y: number; width: number; height: number },
  [red = 0, green = 0, blue = 0]: readonly number[],
): void {
  const row = Buffer.alloc(area.width * 4, Buffer.from([blue, green, red, 255]));
  for (let y = area.y; y < area.y + area.height; y += 1) row.copy(pixels, (y * stride + area.x) * 4);
}

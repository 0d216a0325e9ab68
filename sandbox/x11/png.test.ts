import sharp from 'sharp';
import { expect, it } from 'vitest';
import { encodePng } from './png.ts';

it('a PNG of three bytes a pixel has no alpha', async () => {
  const pixels = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3]);

  const { data, info } = await sharp(encodePng(2, 2, pixels, { channels: 3, level: 1 }))
    .raw()
    .toBuffer({ resolveWithObject: true });

  expect(info).toMatchObject({ width: 2, height: 2, channels: 3 });
  expect(data).toEqual(pixels);
});

it('a PNG holds the pixels that were given, see-through ones too', async () => {
  const pixels = Buffer.from([255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

  const { data, info } = await sharp(encodePng(3, 2, pixels))
    .raw()
    .toBuffer({ resolveWithObject: true });

  expect(info).toMatchObject({ width: 3, height: 2, channels: 4 });
  expect(data).toEqual(pixels);
});

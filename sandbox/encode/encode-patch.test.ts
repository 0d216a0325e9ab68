import sharp from 'sharp';
import { expect, it } from 'vitest';
import { encodePatch } from './encode-patch.ts';

it('a patch is a part of the screen, in its own colours', async () => {
  const stride = 5;
  const screen = Buffer.alloc(stride * 4 * 4);
  for (let at = 0; at < screen.length; at += 4) screen.set([at & 255, (at >> 1) & 255, 200, 0], at);

  const { data, info } = await sharp(encodePatch(screen, stride, { left: 1, top: 2, width: 3, height: 2 }))
    .raw()
    .toBuffer({ resolveWithObject: true });

  expect(info).toMatchObject({ width: 3, height: 2, channels: 3 });
  const colours = [11, 12, 13, 16, 17, 18].flatMap((pixel) => [200, (pixel * 4) >> 1, pixel * 4]);
  expect([...data]).toEqual(colours);
});

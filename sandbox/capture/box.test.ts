import { expect, it } from 'vitest';
import { boxAround } from './box.ts';

const size = { width: 100, height: 50 };

it('a box around others is as small as can be', () => {
  const one = { left: 10, top: 5, width: 10, height: 10 };
  const other = { left: 40, top: 2, width: 5, height: 5 };
  expect(boxAround([one, null, other], size)).toEqual({ left: 10, top: 2, width: 35, height: 13 });
});

it('a box ends with the screen', () => {
  expect(boxAround([{ left: -10, top: 40, width: 500, height: 20 }], size)).toEqual({
    left: 0,
    top: 40,
    width: 100,
    height: 10,
  });
});

it('there is no box around nothing, or what lies outside', () => {
  const outside = { left: 100, top: 0, width: 10, height: 10 };
  const flat = { left: 0, top: 0, width: 10, height: 0 };
  expect(boxAround([], size)).toBeNull();
  expect(boxAround([null, outside, flat], size)).toBeNull();
});

import { expect, it } from 'vitest';
import { fittingSize } from './fitting-size.ts';

it('has the shape of an upright phone, and room to work in', () => {
  const { width, height } = fittingSize({ width: 390, height: 691 });
  expect(width).toBe(720);
  expect(height / width).toBeCloseTo(691 / 390, 2);
});

it('is as large as a desk’s own window, in even numbers', () => {
  expect(fittingSize({ width: 1281, height: 801 })).toEqual({ width: 1282, height: 802 });
});

it('asks for nothing that no host has', () => {
  expect(fittingSize({ width: 320, height: 5000 }).height).toBe(2400);
});

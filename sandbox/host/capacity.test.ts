import { describe, expect, it } from 'vitest';
import { defaultCapacity } from './capacity.ts';

const gib = 1024 ** 3;

describe('how many Desktops a host takes unless told', () => {
  it.each([
    [2, 24, 8],
    [16, 8, 5],
    [64, 256, 170],
    [1, 0.5, 1],
  ])('%i cores and %d GiB: %i', (cores, memory, desktops) => {
    expect(defaultCapacity(cores, memory * gib)).toBe(desktops);
  });

  it('is at least one on the machine that this is', () => {
    expect(defaultCapacity()).toBeGreaterThanOrEqual(1);
  });
});

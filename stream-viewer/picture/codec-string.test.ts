import { expect, it } from 'vitest';
import { codecString } from './codec-string.ts';

it('reads profile, constraints and level from the SPS behind other units', () => {
  const unit = Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67, 0x4d, 0x40, 0x28, 0x95, 0, 0, 1, 0x65, 1);
  expect(codecString(unit)).toBe('avc1.4d4028');
});

it('finds none in a picture without one', () => {
  expect(codecString(Uint8Array.of(0, 0, 0, 1, 0x41, 1, 2, 3, 4, 5, 6, 7))).toBeNull();
  expect(codecString(Uint8Array.of(0, 0, 1, 0x67))).toBeNull();
  expect(codecString(new Uint8Array())).toBeNull();
});

import { describe, expect, it } from 'vitest';
import { bandsOf, joinBands, wholeScreen } from './bands.ts';

describe('bands of a screen', () => {
  it('are whole rows of macroblocks around what was touched', () => {
    expect(bandsOf([{ y: 40, height: 10 }], 1080)).toEqual([{ top: 32, height: 32 }]);
    expect(bandsOf([{ y: 31, height: 2 }], 1080)).toEqual([{ top: 0, height: 64 }]);
  });

  it('are one where they meet, and several where they do not', () => {
    const rectangles = [
      { y: 1000, height: 16 },
      { y: 0, height: 20 },
      { y: 20, height: 20 },
    ];
    expect(bandsOf(rectangles, 1080)).toEqual([
      { top: 0, height: 64 },
      { top: 992, height: 32 },
    ]);
  });

  it('end with the screen, also when its height is no multiple of a band', () => {
    expect(bandsOf([{ y: 1079, height: 1 }], 1080)).toEqual([{ top: 1056, height: 24 }]);
    expect(bandsOf([{ y: -50, height: 5000 }], 1080)).toEqual(wholeScreen(1080));
  });

  it('are none for what lies outside or has no rows', () => {
    const outside = [
      { y: -20, height: 10 },
      { y: 1080, height: 5 },
      { y: 10, height: 0 },
    ];
    expect(bandsOf(outside, 1080)).toEqual([]);
  });

  it('join with others', () => {
    expect(joinBands([{ top: 0, height: 32 }], [{ top: 32, height: 64 }], 1080)).toEqual([{ top: 0, height: 96 }]);
  });
});

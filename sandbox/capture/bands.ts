/** Rows of the screen from `top` on, over its whole width. */
export interface Band {
  top: number;
  height: number;
}

/**
 * Bands begin and end at a multiple of this many rows: two rows of macroblocks, so that what is converted from RGB has whole chroma
 * rows, and few sizes occur (a converter is kept for each).
 */
export const bandRows = 32;

/**
 * The bands of a screen that these rectangles touch, from top to bottom, none overlapping: what lies side by side costs one grab, a
 * clock at the top and a cursor at the bottom do not make the whole screen dirty.
 */
export function bandsOf(rectangles: Iterable<{ y: number; height: number }>, screenHeight: number): Band[] {
  const dirty = new Set<number>();
  for (const { y, height } of rectangles) {
    const last = Math.min(y + height, screenHeight) - 1;
    for (let row = Math.max(y, 0); row <= last; row += bandRows) dirty.add(Math.floor(row / bandRows));
    if (last >= Math.max(y, 0)) dirty.add(Math.floor(last / bandRows));
  }
  const bands: Band[] = [];
  for (const index of [...dirty].sort((a, b) => a - b)) {
    const top = index * bandRows;
    const height = Math.min(bandRows, screenHeight - top);
    const above = bands.at(-1);
    if (above && above.top + above.height === top) above.height += height;
    else bands.push({ top, height });
  }
  return bands;
}

/** Both together. */
export function joinBands(some: readonly Band[], others: readonly Band[], screenHeight: number): Band[] {
  return bandsOf(
    [...some, ...others].map(({ top, height }) => ({ y: top, height })),
    screenHeight,
  );
}

/** All of it. */
export function wholeScreen(screenHeight: number): Band[] {
  return [{ top: 0, height: screenHeight }];
}

import type { ScreenSize } from '../x11/screen.ts';

/** A part of the screen, in its pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The smallest box around all of these, without what lies outside of the screen; null when nothing is left. */
export function boxAround(boxes: Iterable<Box | null>, size: ScreenSize): Box | null {
  let [left, top, right, bottom] = [size.width, size.height, 0, 0];
  for (const box of boxes) {
    if (!box || box.width <= 0 || box.height <= 0) continue;
    left = Math.min(left, Math.max(box.left, 0));
    top = Math.min(top, Math.max(box.top, 0));
    right = Math.max(right, Math.min(box.left + box.width, size.width));
    bottom = Math.max(bottom, Math.min(box.top + box.height, size.height));
  }
  return left < right && top < bottom ? { left, top, width: right - left, height: bottom - top } : null;
}

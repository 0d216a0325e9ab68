import type { Point } from '../picture/viewport.ts';
import { element } from './element.ts';

/** A ring where a finger has tapped: the answer of a desktop may take a moment, and the tap was felt at once. */
export function createRipple(): (at: Point) => void {
  const ring = element('ripple', HTMLElement);
  return ({ x, y }) => {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    ring.animate(
      [
        { transform: `translate(${x}px, ${y}px) scale(0.3)`, opacity: 0.8 },
        { transform: `translate(${x}px, ${y}px) scale(1)`, opacity: 0 },
      ],
      { duration: 320, easing: 'ease-out' },
    );
  };
}

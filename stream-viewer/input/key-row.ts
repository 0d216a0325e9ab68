import type { Input } from '../../sandbox/protocol.ts';
import { type Modifier, StickyModifiers } from './sticky-modifiers.ts';
import { press } from './type-text.ts';

/**
 * The row of keys that an on-screen keyboard lacks. Each button names its key in `data-key`, or a modifier in `data-modifier`.
 *
 * @returns the modifiers, for whatever else types
 */
export function listenToKeyRow(row: HTMLElement, act: (...inputs: Input[]) => void): StickyModifiers {
  const sticky = new StickyModifiers((on) => {
    for (const button of row.querySelectorAll<HTMLButtonElement>('[data-modifier]'))
      button.ariaPressed = String(on.has(button.dataset.modifier as Modifier));
  });
  // The field keeps the focus, and the on-screen keyboard stays.
  row.addEventListener('pointerdown', (event) => event.preventDefault());
  row.addEventListener('mousedown', (event) => event.preventDefault());
  row.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null;
    const { key, modifier } = button?.dataset ?? {};
    if (modifier) sticky.toggle(modifier as Modifier);
    if (key) act(...sticky.around(press(key)));
  });
  return sticky;
}

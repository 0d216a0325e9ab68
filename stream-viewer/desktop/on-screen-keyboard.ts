import type { InputGate } from '../input/input-gate.ts';
import { listenToKeyRow } from '../input/key-row.ts';
import type { StickyModifiers } from '../input/sticky-modifiers.ts';
import { listenToTextField } from '../input/text-field.ts';
import { element } from './element.ts';

/** What others need of it. */
export interface OnScreenKeyboard {
  readonly sticky: StickyModifiers;
  /** The picture was tapped: what is typed now is for the Desktop. */
  focus(): void;
  toggle(): void;
}

/** The on-screen keyboard of a phone, by way of the hidden field, with the row of keys that it lacks. */
export function createOnScreenKeyboard(gate: InputGate): OnScreenKeyboard {
  const field = element('field', HTMLTextAreaElement);
  const row = element('keys', HTMLElement);
  const button = element('keyboard', HTMLButtonElement);
  const composing = element('composing', HTMLOutputElement);
  const sticky = listenToKeyRow(row, (...inputs) => gate.act(...inputs));
  listenToTextField({
    field,
    type: (inputs) => gate.act(...sticky.around(inputs)),
    composing(text) {
      composing.textContent = text;
      composing.hidden = text === '';
    },
  });

  /** The field may have the focus, for a real keyboard and its input method, without the on-screen one coming up. */
  function focus(): void {
    field.inputMode = row.hidden ? 'none' : 'text';
    field.focus({ preventScroll: true });
  }

  return {
    sticky,
    focus,
    toggle() {
      row.hidden = !row.hidden;
      button.ariaPressed = String(!row.hidden);
      // A change of the mode counts from the next focus on.
      field.blur();
      focus();
    },
  };
}

import { element } from './element.ts';
import type { State } from './state.ts';

const shownForMs = 6000;

/** A line that goes away by itself, with at most one thing to do. */
export function createToast(state: State) {
  const toast = element('toast', HTMLElement);
  const words = element('toast-text', HTMLElement);
  const button = element('toast-action', HTMLButtonElement);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function hide(): void {
    clearTimeout(timer);
    toast.hidden = true;
  }
  return function show(text: string, action?: { label: string; run: () => void }): void {
    words.textContent = text;
    button.hidden = action === undefined;
    button.textContent = action?.label ?? '';
    button.onclick = () => {
      hide();
      action?.run();
    };
    toast.hidden = false;
    state.say(text);
    clearTimeout(timer);
    timer = setTimeout(hide, shownForMs);
  };
}

export type Toast = ReturnType<typeof createToast>;

import { element } from './element.ts';
import type { State } from './state.ts';
import type { Words } from './words.ts';

/** The card in the middle of the stage: it says what is being waited for, or why there is no picture. */
export function createCard(state: State, retry: () => void) {
  const card = element('card', HTMLElement);
  const title = element('card-title', HTMLElement);
  const text = element('card-text', HTMLElement);
  const button = element('card-retry', HTMLButtonElement);
  button.addEventListener('click', retry);
  return {
    show(words: Words, options: { mayRetry: boolean; busy: boolean }): void {
      title.textContent = words.title;
      text.textContent = words.text;
      button.hidden = !options.mayRetry;
      card.ariaBusy = String(options.busy);
      card.hidden = false;
      state.say(`${words.title}. ${words.text}`);
    },
    hide(): void {
      card.hidden = true;
    },
  };
}

export type Card = ReturnType<typeof createCard>;

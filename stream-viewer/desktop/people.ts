import type { ControlState } from '../input/input-gate.ts';
import { element } from './element.ts';
import type { State } from './state.ts';
import { listed } from './words.ts';

/** Who watches and who controls, in the bar. */
export function createPeople(state: State) {
  const controls = element('controls', HTMLElement);
  const watching = element('watching', HTMLDetailsElement);
  const summary = element('watching-summary', HTMLElement);
  const count = element('watching-count', HTMLElement);
  const list = element('watching-list', HTMLUListElement);
  let said = '';

  document.addEventListener('click', ({ target }) => {
    if (target instanceof Node && !watching.contains(target)) watching.open = false;
  });
  watching.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') watching.open = false;
  });

  return {
    watch(names: readonly string[]): void {
      watching.hidden = names.length === 0;
      count.textContent = String(names.length);
      summary.ariaLabel = `${names.length} watching: ${listed(names)}`;
      list.replaceChildren(
        ...names.map((name) => {
          const item = document.createElement('li');
          item.textContent = name;
          return item;
        }),
      );
    },
    control({ name, you }: ControlState): void {
      const words = you ? 'You control' : name === null ? '' : `${name} controls`;
      controls.textContent = words;
      controls.hidden = words === '';
      controls.classList.toggle('you', you);
      const news = words === '' ? 'Nobody controls' : words;
      if (said !== '' || words !== '') state.say(`${news}.`);
      said = news;
    },
  };
}

import { element } from './element.ts';

/** What the page shows, also in `document.body.dataset.state`, for tests and whoever else looks from outside. */
export type PageState = 'connecting' | 'live' | 'stills' | 'ended' | 'error';

const labels: Record<PageState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  stills: 'Stills',
  ended: 'Ended',
  error: 'Not connected',
};

/** The state of the page, said to the eye and to screen readers. */
export function createPageState() {
  const label = element('state', HTMLElement);
  const voice = element('voice', HTMLElement);
  let state: PageState = 'connecting';

  /** Read out by screen readers. The same twice is said twice. */
  function say(text: string): void {
    voice.textContent = voice.textContent === text ? `${text}\u00a0` : text;
  }

  return {
    get now(): PageState {
      return state;
    },
    set(next: PageState): void {
      if (next === state) return;
      state = next;
      document.body.dataset.state = next;
      label.textContent = labels[next];
      if (next === 'live' || next === 'stills')
        say(next === 'live' ? 'The desktop is on the screen, live.' : 'The desktop is on the screen, as stills.');
    },
    say,
  };
}

export type State = ReturnType<typeof createPageState>;

import type { Input } from '../../sandbox/protocol.ts';
import { keyOf, keysymOf } from './keysyms.ts';

/** Modifiers that an on-screen keyboard lacks. */
export type Modifier = 'Control' | 'Alt';

/** Ctrl and Alt as keys that one taps and not holds: each counts for the next key. */
export class StickyModifiers {
  readonly #on = new Set<Modifier>();
  readonly #changed: (on: ReadonlySet<Modifier>) => void;

  constructor(changed: (on: ReadonlySet<Modifier>) => void) {
    this.#changed = changed;
  }

  get isOn(): boolean {
    return this.#on.size > 0;
  }

  toggle(modifier: Modifier): void {
    if (!this.#on.delete(modifier)) this.#on.add(modifier);
    this.#changed(this.#on);
  }

  /** What is typed next, with the modifiers around its first character or key; they are off again. */
  around(inputs: readonly Input[]): Input[] {
    const [first, ...rest] = inputs;
    if (this.#on.size === 0 || !first) return [...inputs];
    const keysyms = [...this.#on].map((modifier) => keyOf(modifier)?.keysym ?? 0);
    this.#on.clear();
    this.#changed(this.#on);
    const down = keysyms.map((keysym): Input => ({ type: 'key', down: true, keysym }));
    const up = keysyms.toReversed().map((keysym): Input => ({ type: 'key', down: false, keysym }));
    if (first.type !== 'text') {
      const release = rest[0]?.type === 'key' ? rest.slice(0, 1) : [];
      return [...down, first, ...release, ...up, ...rest.slice(release.length)];
    }
    const [character = '', ...more] = first.text;
    const keysym = keysymOf(character);
    const pressed: Input[] = [
      { type: 'key', down: true, keysym },
      { type: 'key', down: false, keysym },
    ];
    const left: Input[] = more.length > 0 ? [{ type: 'text', text: more.join('') }] : [];
    return [...down, ...pressed, ...up, ...left, ...rest];
  }
}

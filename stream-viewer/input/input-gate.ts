import type { Input, ViewerMode } from '../../sandbox/protocol.ts';

/** So long is what a person did kept for the moment when control is given. */
const keptForMs = 5000;
const keptAtMost = 500;

/** Who has the input, as the host says. */
export interface ControlState {
  /** Null: no person. */
  name: string | null;
  you: boolean;
}

/** What the gate tells. */
export interface GateListener {
  send(input: Input): void;
  /** Control is wanted: ask the host for it. */
  ask(): void;
  /** Nothing was done, because of this. `busy`: somebody else controls. `unanswered`: control was asked for and not given in time. */
  refused(why: 'watch_only' | 'busy' | 'unanswered'): void;
}

/**
 * Lets input through while this viewer controls. The first act of a person when nobody controls asks for control, and is done when it is
 * given: no tap is lost. While somebody else controls nothing is asked by itself: taking over is a decision.
 */
export class InputGate {
  readonly #listener: GateListener;
  #mode: ViewerMode = 'watch';
  #control: ControlState = { name: null, you: false };
  #kept: Input[] = [];
  #pointer: Input | null = null;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  readonly #held = new Map<string, Input>();

  constructor(listener: GateListener) {
    this.#listener = listener;
  }

  get mode(): ViewerMode {
    return this.#mode;
  }

  get controls(): boolean {
    return this.#mode === 'control' && this.#control.you;
  }

  setMode(mode: ViewerMode): void {
    this.#mode = mode;
  }

  setControl(control: ControlState): void {
    this.#control = control;
    if (!control.you) this.#held.clear();
    if (control.you) this.#done(true);
    else if (control.name !== null) this.#done(false);
  }

  /** The connection is gone, and with it whatever was held or waited. */
  reset(): void {
    this.#held.clear();
    this.#done(false);
    this.#control = { name: null, you: false };
  }

  /** A person does this. */
  act(...inputs: Input[]): void {
    for (const input of inputs) this.#actOne(input);
  }

  /** Everything that is down comes up: the page has lost the keyboard, and would never hear of it. */
  releaseAll(): void {
    for (const up of this.#held.values()) if (this.controls) this.#listener.send(up);
    this.#held.clear();
  }

  #actOne(input: Input): void {
    if (this.controls) {
      this.#let(input);
      return;
    }
    if (input.type === 'pointer') this.#pointer = input;
    if (this.#kept.length > 0) {
      if (this.#kept.length < keptAtMost) this.#kept.push(input);
      return;
    }
    if (!begins(input)) return;
    if (this.#mode === 'watch') {
      this.#listener.refused('watch_only');
      return;
    }
    if (this.#control.name !== null) {
      this.#listener.refused('busy');
      return;
    }
    this.#kept = this.#pointer ? [this.#pointer, input] : [input];
    this.#expiry = setTimeout(() => {
      this.#done(false);
      this.#listener.refused('unanswered');
    }, keptForMs);
    this.#listener.ask();
  }

  #done(granted: boolean): void {
    clearTimeout(this.#expiry);
    const kept = this.#kept;
    this.#kept = [];
    if (granted) for (const input of kept) this.#let(input);
  }

  #let(input: Input): void {
    if (input.type === 'key' || input.type === 'button') {
      const name = `${input.type} ${input.type === 'key' ? input.keysym : input.button}`;
      if (input.down) this.#held.set(name, { ...input, down: false });
      // It came up already, or went down elsewhere.
      else if (!this.#held.delete(name)) return;
    }
    this.#listener.send(input);
  }
}

/** A mouse that only passes over the picture, or a key that comes up, wants nothing. */
function begins(input: Input): boolean {
  if (input.type === 'key' || input.type === 'button') return input.down;
  return input.type === 'text' || input.type === 'wheel';
}

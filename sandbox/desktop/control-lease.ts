import type { Controller, ViewerPerson } from '../stream/streamer.ts';

/** Who has a Desktop's input, told to the core. */
export type ControlChange =
  | { state: 'taken'; subject: string | null; name: string }
  /** `steps`: what people did since it was taken, in words, oldest first. */
  | { state: 'returned'; subject: string | null; name: string; steps: string[] };

/** The input of one Desktop: a person's, or else the agent's. */
export interface ControlLease {
  /** The name of the person who has it; null: the agent may. */
  readonly holder: string | null;
  /** A viewer wants it. Takes it from whoever has it. False: this viewer may only watch. */
  take(person: ViewerPerson): boolean;
  /** A viewer gives it back; nothing happens unless it has it. */
  giveBack(person: ViewerPerson): void;
  /** Who is connected now. A person without a viewer keeps the input for a while, for a phone that changes networks. */
  viewers(people: readonly ViewerPerson[]): void;
  /** Another streamer process has begun, which does not know yet who has the input. */
  streamerBegan(): void;
  /** What the person did. */
  did(steps: readonly string[]): void;
  close(): void;
}

/** What it is made with. */
export interface ControlLeaseOptions {
  /** The viewer that has the input from now on. */
  setController(controller: Controller | null): void;
  changed(change: ControlChange): void;
  /** How long a person keeps it without a viewer, in milliseconds. */
  graceMs?: number;
  /** How long the streamer, another process, may take to tell the last steps, in milliseconds. */
  flushMs?: number;
}

/** The agent's input was not done: a person has it. */
export class ControlledError extends Error {
  constructor(name: string) {
    super(`${name} controls this Desktop now: wait until it is given back`);
    this.name = 'ControlledError';
  }
}

/** More steps than an agent reads: the latest are kept. */
const stepsAtMost = 200;

type Holding = { person: ViewerPerson; steps: string[] };

/**
 * One controller at a time: a person takes the input from the agent or from another person, gives it back, or loses it some time after
 * the last of their viewers went. From one person to the next the agent does not get it in between.
 */
export function createControlLease(options: ControlLeaseOptions): ControlLease {
  const { setController, changed, graceMs = 30_000, flushMs = 150 } = options;
  let holding: Holding | undefined;
  let leaving: NodeJS.Timeout | undefined;
  /** Given back, and not told yet: the last steps are still to come. */
  let returning: Holding | undefined;
  let flush: NodeJS.Timeout | undefined;

  function giveBack(): void {
    stay();
    returning = holding;
    holding = undefined;
    setController(null);
    flush = setTimeout(tellReturned, flushMs);
  }

  function tellReturned(): void {
    clearTimeout(flush);
    if (!returning) return;
    const { person, steps } = returning;
    returning = undefined;
    changed({ state: 'returned', subject: person.subject, name: person.name, steps });
  }

  function stay(): void {
    clearTimeout(leaving);
    leaving = undefined;
  }

  function remember(into: Holding, steps: readonly string[]): void {
    into.steps.push(...steps);
    into.steps.splice(0, into.steps.length - stepsAtMost);
  }

  return {
    get holder() {
      return holding?.person.name ?? null;
    },
    take(person) {
      if (person.mode !== 'control') return false;
      tellReturned();
      stay();
      const before = holding;
      holding = { person, steps: before?.steps ?? [] };
      setController({ viewer: person.viewer, name: person.name });
      if (before && isSame(before.person, person)) return true;
      if (before) remember(holding, [`${person.name} took over from ${before.person.name}`]);
      changed({ state: 'taken', subject: person.subject, name: person.name });
      return true;
    },
    giveBack(person) {
      if (holding && isSame(holding.person, person)) giveBack();
    },
    viewers(people) {
      if (!holding) return;
      const { person } = holding;
      const here =
        people.find(({ viewer }) => viewer === person.viewer) ??
        people.find((one) => one.mode === 'control' && isSame(one, person));
      if (!here) {
        leaving ??= setTimeout(giveBack, graceMs);
        return;
      }
      stay();
      if (here.viewer === person.viewer) return;
      // Another of the person's viewers: the same page after a reconnect, or a second device.
      holding.person = here;
      setController({ viewer: here.viewer, name: here.name });
    },
    streamerBegan() {
      if (holding) setController({ viewer: holding.person.viewer, name: holding.person.name });
    },
    did(steps) {
      const whose = holding ?? returning;
      if (whose) remember(whose, steps);
    },
    close() {
      stay();
      clearTimeout(flush);
      holding = undefined;
      returning = undefined;
    },
  };
}

/** The same connection, or the same person by another. Whoever holds a link without being known is only that connection. */
function isSame(a: ViewerPerson, b: ViewerPerson): boolean {
  return a.viewer === b.viewer || (a.subject !== null && a.subject === b.subject);
}

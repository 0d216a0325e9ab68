/** Says what a process still waits for before it can do its work. */
export type Readiness = {
  /** Sets a part up or down, or hands over a check to be asked each time; one that takes over 2 s counts as down. */
  set(part: string, state: boolean | (() => Promise<boolean>)): void;
  /** The parts that are not up, in the order in which they were named; empty when all are. */
  waitingFor(): Promise<string[]>;
};

const CHECK_MILLISECONDS = 2000;

/** The readiness of a process with these parts (`database`, `dispatch`, `mail`, …), all down at first. */
export function createReadiness(...parts: string[]): Readiness {
  const states = new Map<string, boolean | (() => Promise<boolean>)>(parts.map((part) => [part, false]));
  return {
    set: (part, state) => void states.set(part, state),
    async waitingFor() {
      const checked = await Promise.all(
        [...states].map(async ([part, state]) => ({
          part,
          up: typeof state === 'function' ? await checks(state) : state,
        })),
      );
      return checked.filter(({ up }) => !up).map(({ part }) => part);
    },
  };
}

async function checks(check: () => Promise<boolean>): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, CHECK_MILLISECONDS, false);
  try {
    return await Promise.race([check(), tooLate]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

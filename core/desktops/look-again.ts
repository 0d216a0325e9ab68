/** Something that looks at the database whenever it is told that there may be something new. */
export interface Looker {
  /** Looks now; told while it looks, it looks once more. */
  look(): void;
  /** No look begins any more; the one under way has ended when this returns. */
  stop(): Promise<void>;
}

/** An announcement may be lost: look at least this often. */
const pollMs = 1000;

/**
 * Makes a look out of `work`, never two at once, by announcement and at least every second: who waits for a change (a viewer to be
 * dropped within 2 s, a Host for its Desktops) does not depend on a notification.
 *
 * @param listen what tells of changes; returns what ends it
 * @param failed is told when a look fails; the next one finds what this one missed
 */
export function lookAgain(
  work: () => Promise<void>,
  listen: (listener: () => void) => () => void,
  failed: (error: unknown) => void,
): Looker {
  let again = false;
  let stopped = false;
  let looking: Promise<void> | undefined;

  function look(): void {
    again = true;
    if (stopped || looking) return;
    looking = (async () => {
      while (again && !stopped) {
        again = false;
        try {
          await work();
        } catch (error) {
          failed(error);
        }
      }
    })().finally(() => {
      looking = undefined;
      // Told between the last look and here.
      if (again) look();
    });
  }

  const poll = setInterval(look, pollMs);
  const unlisten = listen(look);
  return {
    look,
    async stop() {
      stopped = true;
      clearInterval(poll);
      unlisten();
      await looking;
    },
  };
}

const tickMs = 100;

/** A clock for what has to be quick: a stretch in which the machine held this process still counts as one tick, however long it was. */
export interface SecondsGiven extends Disposable {
  /** The seconds that this process was given since the clock was started. */
  passed(): number;
}

/** Starts a clock. */
export function secondsGiven(): SecondsGiven {
  let ticks = 0;
  const timer = setInterval(() => ticks++, tickMs);
  return {
    passed: () => (ticks * tickMs) / 1000,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

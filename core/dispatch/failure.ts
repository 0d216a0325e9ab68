/** Something outside (a model, a mail server, a platform) is away or asks to wait: not a failed attempt (design rule 6). */
export class OutsideUnavailable extends Error {
  /** What Retry-After said, in seconds; undefined: the wait doubles. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: ErrorOptions & { retryAfterSeconds?: number } = {}) {
    super(message, options);
    this.name = 'OutsideUnavailable';
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Trying again can't help: the address does not exist, the channel is archived. Dead at once. */
export class PermanentFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PermanentFailure';
  }
}

/** What is stored of the attempts so far, of an Activation or a Delivery alike. */
export interface Attempts {
  /** Failed attempts before this one. */
  failures: number;
  /** Seconds since the present wait for something outside began; null when none is on. */
  waitingSeconds: number | null;
}

/** What to do next: try again after some seconds, or never. */
export type NextAttempt =
  | { kind: 'wait'; delaySeconds: number }
  | { kind: 'retry'; delaySeconds: number; failures: number }
  | { kind: 'dead'; failures: number };

/** A failed attempt is repeated after 1, 5 and 30 s; when the last of these fails too, it is dead. */
const retryDelays = [1, 5, 30] as const;
const longestWait = 5 * 60;
const waitAtMost = 24 * 3600;

/** What a failure means for the Activation or Delivery that met it (design rule 6). */
export function nextAttempt(error: unknown, attempts: Attempts): NextAttempt {
  if (error instanceof PermanentFailure) return { kind: 'dead', failures: attempts.failures + 1 };
  if (error instanceof OutsideUnavailable) {
    const waited = attempts.waitingSeconds ?? 0;
    if (waited >= waitAtMost) return { kind: 'dead', failures: attempts.failures };
    // Waiting as long again as has been waited already is what doubling comes to.
    const delaySeconds = error.retryAfterSeconds ?? Math.min(Math.max(waited, 1), longestWait);
    return { kind: 'wait', delaySeconds: Math.min(delaySeconds, waitAtMost) };
  }
  const delaySeconds = retryDelays[attempts.failures];
  const failures = attempts.failures + 1;
  return delaySeconds === undefined ? { kind: 'dead', failures } : { kind: 'retry', delaySeconds, failures };
}

/** A lost lease is not a failed attempt until the tenth. */
export const lostLeasesForgiven = 9;

/** One line of an error for a person: no stack, no line breaks, at most 300 characters. */
export function describe(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, 300) || 'no reason given';
}

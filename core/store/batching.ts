/** What one input of a batch came to: its value, or why it failed alone. */
export type BatchOutcome<Out> = { value: Out } | { error: unknown };

/**
 * Turns calls that come at the same time into few round trips: while `inFlight` batches are under way, calls gather, and the next
 * batch takes up to `atMost` of them in the order in which they came. A call that finds room starts at once, so that an idle
 * process waits for nothing. What `run` throws fails every call of that batch.
 */
export function batching<In, Out>(
  run: (inputs: In[]) => Promise<BatchOutcome<Out>[]>,
  limits: { atMost: number; inFlight: number },
): (input: In) => Promise<Out> {
  const waiting: { input: In; resolve: (value: Out) => void; reject: (error: unknown) => void }[] = [];
  let flying = 0;
  let scheduled = false;

  function fly(): void {
    scheduled = false;
    while (waiting.length > 0 && flying < limits.inFlight) {
      const batch = waiting.splice(0, limits.atMost);
      flying++;
      run(batch.map((call) => call.input))
        .then(
          (outcomes) => {
            for (const [i, call] of batch.entries()) {
              const outcome = outcomes[i] ?? { error: new Error('a batch gave no outcome for one of its inputs') };
              if ('error' in outcome) call.reject(outcome.error);
              else call.resolve(outcome.value);
            }
          },
          (error: unknown) => {
            for (const call of batch) call.reject(error);
          },
        )
        .finally(() => {
          flying--;
          fly();
        });
    }
  }

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      // After this turn of the event loop: what one read of a socket brought goes together.
      if (!scheduled && flying < limits.inFlight) {
        scheduled = true;
        setImmediate(fly);
      }
    });
}

/** One value for each key, made at its first use and gone with the key: a queue for each database, say. */
export function oncePer<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
}

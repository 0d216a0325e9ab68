/** The longest time that a Node timer can hold, in milliseconds. */
const timerAtMost = 2 ** 31 - 1;

/**
 * Lets `work` run until it settles, `signal` is aborted, or the deadline passes, whichever is first: a provider that never comes
 * back can't hold up anybody. The signal that `work` gets is aborted in the latter two cases, and when it has settled.
 *
 * @throws `signal.reason`, or an Error that says that the deadline has passed.
 */
export async function supervise<T>(
  signal: AbortSignal,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const timer = setTimeout(
    () => ended.abort(new Error(`no answer within ${deadlineMs / 1000} s (MODEL_DEADLINE)`)),
    Math.min(deadlineMs, timerAtMost),
  );
  try {
    return await new Promise<T>((resolve, reject) => {
      either.addEventListener('abort', () => reject(either.reason), { once: true });
      work(either).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}

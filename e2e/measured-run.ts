import { setTimeout as sleep } from 'node:timers/promises';

/** A command that measures the product against its goals. */
export type MeasuredRun = {
  /** Prints a line, with the seconds since the start before it. */
  say(line: string): void;
  /** Prints and keeps what was measured, with the goal beside it. */
  goal(name: string, measured: string | number, goal: string, met: boolean): void;
  /** Is done at the end, however it ends, the last one first: kill, close, remove. */
  defer(cleanup: () => unknown): void;
  /** Aborted when a person interrupts the command or its time is over. */
  signal: AbortSignal;
};

type Goal = { name: string; measured: string | number; goal: string; met: boolean };

/**
 * Runs a command to its end: prints its goals, cleans up, and ends the process with code 0 when every goal was met, 1 when one
 * was missed, something went wrong or `limitMinutes` were over, 130 when a person interrupted it. With `--json` among the
 * arguments the goals are the last line, as JSON.
 */
export async function measuredRun(
  about: { title: string; limitMinutes: number },
  work: (run: MeasuredRun) => Promise<void>,
): Promise<never> {
  const began = performance.now();
  const goals: Goal[] = [];
  const cleanups: (() => unknown)[] = [];
  const abort = new AbortController();
  const clock = () => `${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s`;
  const print = (line: string) => void process.stdout.write(`${line}\n`);

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => abort.abort(new Error(`interrupted by ${signal}`)));
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error: unknown) => abort.abort(error));
  const limit = setTimeout(
    () => abort.abort(new Error(`not done within ${about.limitMinutes} minutes`)),
    about.limitMinutes * 60_000,
  );
  const aborted = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true });
  });

  let code = 0;
  print(about.title);
  try {
    const run: MeasuredRun = {
      say: (line) => print(`${clock()}  ${line}`),
      goal: (name, measured, goal, met) => {
        goals.push({ name, measured, goal, met });
        print(`${clock()}  ${met ? 'met   ' : 'MISSED'}  ${name}: ${measured}   (goal: ${goal})`);
      },
      defer: (cleanup) => cleanups.push(cleanup),
      signal: abort.signal,
    };
    const working = work(run);
    // After an interruption nobody waits for the work any more: it fails because what it works with is taken away.
    working.catch(() => {});
    await Promise.race([working, aborted]);
  } catch (error) {
    code = /^interrupted/.test(String(abort.signal.reason?.message)) ? 130 : 1;
    print(`${clock()}  FAILED  ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  clearTimeout(limit);
  for (const cleanup of cleanups.reverse()) {
    try {
      await cleanup();
    } catch (error) {
      code ||= 1;
      print(`${clock()}  FAILED  to clean up: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const missed = goals.filter((goal) => !goal.met).length;
  if (code === 0 && (missed > 0 || goals.length === 0)) code = 1;
  print(
    `${goals.length - missed} of ${goals.length} goals met in ${clock().trim()}${code === 0 ? '' : ': NOT PASSED'}`,
  );
  if (process.argv.includes('--json')) print(JSON.stringify({ passed: code === 0, goals }));
  process.exit(code);
}

/** Looks every `everyMs` until `look` gives something; undefined when it did not within `ms`. */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  ms: number,
  everyMs = 250,
): Promise<T | undefined> {
  for (const deadline = performance.now() + ms; ; ) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) return undefined;
    await sleep(everyMs);
  }
}

import type { RuntimeRun, Step, Usage } from '../runtime.ts';

/** The steps of one attempt, the earlier attempts' first. */
export interface StepStore {
  /** Aborted with the attempt, and when a step could not be stored: then nothing may happen any more. */
  readonly signal: AbortSignal;
  steps(): readonly Step[];
  /** Stores a step. Throws, and aborts {@link StepStore.signal}, when that fails: the `ai` package swallows what its callbacks throw. */
  store(step: Step, usage?: Usage): Promise<void>;
  /** The finished reply, once it is stored. */
  reply(): string | undefined;
}

/** Keeps what `run.record` has stored, so that the attempt knows where it is. */
export function createStepStore(run: Pick<RuntimeRun, 'steps' | 'record'>, attempt: AbortSignal): StepStore {
  const steps = [...run.steps];
  const failed = new AbortController();
  const signal = AbortSignal.any([attempt, failed.signal]);
  return {
    signal,
    steps: () => steps,
    async store(step, usage) {
      signal.throwIfAborted();
      try {
        await run.record(step, usage);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
      steps.push(step);
    },
    reply() {
      const last = steps.at(-1);
      return last?.kind === 'text' && last.final ? last.text : undefined;
    },
  };
}

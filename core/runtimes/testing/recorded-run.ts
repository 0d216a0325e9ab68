import type { Briefing, RuntimeRun, Step, Usage } from '../runtime.ts';
import { briefing } from './briefing.ts';
import { openTestTools, type TestTools } from './tool-server.ts';

/** A run that keeps what its runtime does with it. */
export interface RecordedRun extends RuntimeRun {
  /** What was recorded, the earlier steps left out. */
  recorded: Step[];
  usages: (Usage | undefined)[];
  written: string[];
  /** Aborts {@link RuntimeRun.signal}. */
  abort(reason: Error): void;
}

/** What a test says of its run; the rest has defaults. */
export interface RecordedRunOptions {
  briefing?: Briefing;
  body?: string;
  steps?: Step[];
  tools?: TestTools;
  idempotent?: string[];
  /** The tools after which the Activation is over. */
  ending?: string[];
  /** Called before a step is kept; what it throws is what a lost lease throws. */
  beforeRecord?: (step: Step) => Promise<void> | void;
}

/** A run for tests of a runtime, as the dispatcher would make it. */
export function recordedRun(options: RecordedRunOptions = {}): RecordedRun {
  const controller = new AbortController();
  const recorded: Step[] = [];
  const usages: (Usage | undefined)[] = [];
  const written: string[] = [];
  return {
    briefing: options.briefing ?? briefing({ body: options.body }),
    steps: options.steps ?? [],
    signal: controller.signal,
    record: async (step, usage) => {
      await options.beforeRecord?.(step);
      recorded.push(structuredClone(step));
      usages.push(usage);
    },
    write: (text) => void written.push(text),
    openTools: () => openTestTools(options.tools ?? {}),
    isIdempotent: (tool) => options.idempotent?.includes(tool) ?? false,
    endsRun: (tool) => options.ending?.includes(tool) ?? false,
    recorded,
    usages,
    written,
    abort: (reason) => controller.abort(reason),
  };
}

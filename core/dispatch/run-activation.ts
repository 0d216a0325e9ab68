import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Core } from '../core.ts';
import type { RuntimeRun } from '../runtimes/runtime.ts';
import type { ToolContext } from '../tools/tool.ts';
import { brief } from './brief.ts';
import { finishActivation, lostTooOften, type RunOutcome } from './finish-activation.ts';
import type { Lane } from './lane.ts';
import { ProcessEnds } from './lane-loop.ts';
import { addStep, LeaseLost, type StoredStep } from './steps.ts';
import { storeDraft } from './store-draft.ts';
import { type Taken, takeBatch } from './take-batch.ts';

/** A person said `stop`. */
export class Cancelled extends Error {
  constructor() {
    super('stopped by a person');
    this.name = 'Cancelled';
  }
}

/** The Workers' tools, as the dispatcher needs them: handed in, because tools themselves reach back to Activations. */
export interface WorkerTools {
  open(context: ToolContext): Promise<Client>;
  isIdempotent(tool: string): boolean;
}

/** The Activations that run in this process, so that a `stop` reaches them. */
export type Running = Map<string, AbortController>;

/**
 * Runs what waits in a claimed Lane: takes the batch, briefs the Worker, lets its runtime think, and commits the end. A crash anywhere
 * in between loses nothing: the Lane is claimed again when the lease runs out, and the run resumes from its stored steps.
 */
export async function runActivation(
  core: Core,
  tools: WorkerTools,
  lane: Lane,
  signal: AbortSignal,
  running: Running,
): Promise<void> {
  const taken = await takeBatch(core.database, lane);
  if (!taken) return;
  const log = core.log.child({ activation: taken.id, worker: taken.worker, thread: lane.thread });
  const stop = new AbortController();
  running.set(taken.id, stop);
  if (taken.cancelled) stop.abort(new Cancelled());
  core.metrics.activationStarted(taken.waitedSeconds ?? undefined);
  const draft = storeDraft(core, lane, taken);
  const recorder = recordSteps(core, lane, taken);
  const started = performance.now();
  try {
    const outcome = await think(
      core,
      tools,
      lane,
      taken,
      AbortSignal.any([signal, stop.signal]),
      draft,
      recorder.record,
    );
    await draft.end();
    const ended = await finishActivation(core, lane, taken, outcome, recorder.last());
    core.metrics.activationEnded(ended === 'done' ? outcome.kind : ended, (performance.now() - started) / 1000);
    if (outcome.kind === 'failed') log.warn({ err: outcome.error, next: ended }, 'an activation failed');
    else log.info({ outcome: outcome.kind, ms: Math.round(performance.now() - started) }, 'activation ended');
  } catch (error) {
    await draft.end();
    if (!(error instanceof LeaseLost)) throw error;
    core.metrics.leaseLost('activation');
    log.warn('the lease was lost: nothing was committed, and whoever holds the lane now goes on');
  } finally {
    running.delete(taken.id);
  }
}

/** Lets the runtime think and says how it ended; only a lost lease is thrown. */
async function think(
  core: Core,
  tools: WorkerTools,
  lane: Lane,
  taken: Taken,
  signal: AbortSignal,
  draft: { write(text: string): void; text(): string },
  record: RuntimeRun['record'],
): Promise<RunOutcome> {
  if (lostTooOften(taken))
    return { kind: 'failed', error: new Error(`the process running it was lost ${taken.lostLeases} times`) };
  try {
    signal.throwIfAborted();
    const { briefing, behalf } = await brief(core.database, lane, taken, core.historyTokens);
    const context: ToolContext = {
      core,
      organisation: lane.organisation,
      worker: taken.worker,
      activation: {
        id: taken.id,
        stream: taken.stream,
        thread: lane.thread,
        behalf,
        readers: briefing.readers,
        hops: taken.hops,
        origin: taken.origin,
      },
      signal,
    };
    const { text } = await core.runtime.run({
      briefing,
      steps: taken.steps,
      signal,
      record,
      write: (text) => draft.write(text),
      openTools: () => tools.open(context),
      isIdempotent: (tool) => tools.isIdempotent(tool),
    });
    signal.throwIfAborted();
    return { kind: 'replied', text };
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    if (reason instanceof LeaseLost || error instanceof LeaseLost) throw new LeaseLost();
    if (reason instanceof Cancelled) return { kind: 'cancelled', text: draft.text() };
    if (reason instanceof ProcessEnds) return { kind: 'given_back' };
    return { kind: 'failed', error };
  }
}

/** Stores what the runtime records. A final text waits for the transaction that ends the Activation: nothing begins between the two. */
function recordSteps(
  core: Core,
  lane: Lane,
  taken: Taken,
): { record: RuntimeRun['record']; last(): StoredStep | null } {
  let last: StoredStep | null = null;
  return {
    async record(step, usage) {
      const { kind, ...content } = step;
      if (step.kind === 'text' && step.final) {
        last = { kind, content, usage };
        return;
      }
      if (!(await addStep(core.database, lane, taken.id, { kind, content, usage }))) throw new LeaseLost();
      core.waking.announce('nothing');
    },
    last: () => last,
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Core } from '../core.ts';
import type { Outbox } from '../delivery/outbox.ts';
import type { Step, Usage } from '../runtimes/runtime.ts';
import { mayPass } from '../store/database.ts';
import type { ToolContext } from '../tools/tool.ts';
import { brief, readBrief } from './brief.ts';
import { finishActivation, type KnownAtEnd, lostTooOften, type RunOutcome, resolveReply } from './finish-activation.ts';
import type { Lane } from './lane.ts';
import { ProcessEnds } from './lane-loop.ts';
import { addStep, LeaseLost } from './steps.ts';
import { storeDraft } from './store-draft.ts';
import type { Batch, Taken } from './take-batch.ts';

const finishAgainMs = 300;

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
  endsRun?(tool: string): boolean;
}

/** What an Activation is run with. */
export interface RunParts {
  tools: WorkerTools;
  /** Sends its reply from this process at once. */
  outbox?: Outbox;
}

/** The Activations that run in this process, so that a `stop` reaches them. */
export type Running = Map<string, AbortController>;

/**
 * Runs what was taken from a claimed Lane: briefs the Worker, lets its runtime think, and commits the end. A crash anywhere in between
 * loses nothing: the Lane is claimed again when the lease runs out, and the run resumes from its stored steps.
 */
export async function runActivation(
  core: Core,
  { tools, outbox }: RunParts,
  lane: Lane,
  { taken, briefed }: Batch,
  signal: AbortSignal,
  running: Running,
): Promise<void> {
  // No logger of its own: making one costs more than all that is mostly said.
  const about = { activation: taken.id, worker: taken.worker, thread: lane.thread };
  const stop = new AbortController();
  running.set(taken.id, stop);
  if (taken.cancelled) stop.abort(new Cancelled());
  core.metrics.activationStarted(taken.waitedSeconds ?? undefined);
  const draft = storeDraft(core, lane, taken);
  const known: KnownAtEnd = { outbox };
  const started = performance.now();
  try {
    const either = AbortSignal.any([signal, stop.signal]);
    const outcome = await think(core, tools, lane, { taken, briefed }, either, draft, known);
    await draft.end();
    // An earlier attempt may have made one.
    known.drafted = taken.resumed || draft.begun();
    const ended = await finishOnceItCan(core, lane, taken, outcome, known, signal);
    core.metrics.activationEnded(ended === 'done' ? outcome.kind : ended, (performance.now() - started) / 1000);
    if (outcome.kind === 'failed') core.log.warn({ ...about, err: outcome.error, next: ended }, 'an activation failed');
    else
      core.log.info(
        { ...about, outcome: outcome.kind, ms: Math.round(performance.now() - started) },
        'activation ended',
      );
  } catch (error) {
    await draft.end();
    if (!(error instanceof LeaseLost)) throw error;
    core.metrics.leaseLost('activation');
    core.log.warn(about, 'the lease was lost: nothing was committed, and whoever holds the lane now goes on');
  } finally {
    running.delete(taken.id);
  }
}

/** Lets the runtime think and says how it ended; only a lost lease is thrown. */
async function think(
  core: Core,
  tools: WorkerTools,
  lane: Lane,
  { taken, briefed }: Batch,
  signal: AbortSignal,
  draft: { write(text: string): void; text(): string },
  known: KnownAtEnd,
): Promise<RunOutcome> {
  if (lostTooOften(taken))
    return { kind: 'failed', error: new Error(`the process running it was lost ${taken.lostLeases} times`) };
  try {
    signal.throwIfAborted();
    const rows = briefed ?? (await readBrief(core.database, lane, taken.id));
    const { briefing, behalf, granted } = brief(lane, taken, rows, core.historyTokens);
    known.batch = briefing.batch;
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
        granted,
        hops: taken.hops,
        origin: taken.origin,
      },
      signal,
    };
    const { text } = await core.runtime.run({
      briefing,
      steps: taken.steps,
      signal,
      record: (step, usage) => record(core, lane, taken, known, step, usage),
      write: (text) => draft.write(text),
      openTools: () => tools.open(context),
      isIdempotent: (tool) => tools.isIdempotent(tool),
      endsRun: (tool) => tools.endsRun?.(tool) ?? false,
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

/**
 * Ends the Activation; while the database is away, or prefers another transaction, again and again until the lease is lost: what the
 * model has said is paid for. If an earlier try was committed after all, the next finds the Lane given back.
 */
async function finishOnceItCan(
  core: Core,
  lane: Lane,
  taken: Taken,
  outcome: RunOutcome,
  known: KnownAtEnd,
  signal: AbortSignal,
): ReturnType<typeof finishActivation> {
  for (;;) {
    try {
      return await finishActivation(core, lane, taken, outcome, known);
    } catch (error) {
      if (!mayPass(error) || signal.aborted) throw error;
      core.log.warn({ activation: taken.id, err: error }, 'an activation could not be ended; trying again');
      delete known.thread;
      await sleep(finishAgainMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/**
 * Stores what the runtime records. A final text waits for the transaction that ends the Activation, since nothing begins between the
 * two, and what that will need to know of the Thread is asked for meanwhile.
 */
async function record(
  core: Core,
  lane: Lane,
  taken: Taken,
  known: KnownAtEnd,
  step: Step,
  usage?: Usage,
): Promise<void> {
  const { kind, ...content } = step;
  if (step.kind === 'text' && step.final) {
    known.lastStep = { kind, content, usage };
    known.thread = resolveReply(core, lane, taken);
    // Whoever needs it hears of it.
    known.thread.catch(() => undefined);
    return;
  }
  if (!(await addStep(core.database, lane, taken.id, { kind, content, usage }))) throw new LeaseLost();
  core.waking.announce('nothing');
}

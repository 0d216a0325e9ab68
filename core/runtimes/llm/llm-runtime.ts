import { isStepCount, type LanguageModel, streamText } from 'ai';
import { mayBeShown, noReply } from '../no-reply.ts';
import { renderBriefing } from '../render-briefing.ts';
import type { Runtime, RuntimeRun } from '../runtime.ts';
import { explainFailure } from './explain-failure.ts';
import type { ModelEndpoint } from './model-endpoint.ts';
import { messagesOf, modelStepsOf } from './model-steps.ts';
import { openModel } from './open-model.ts';
import { picturesAside } from './pictures-aside.ts';
import { createStepStore, type StepStore } from './step-store.ts';
import { storeModelStep } from './store-model-step.ts';
import { supervise } from './supervise.ts';
import { type Calling, offerTools, settleOpenCalls } from './tool-calls.ts';

/** What the `llm` runtime is made of. */
export interface LlmRuntimeOptions {
  endpoint: ModelEndpoint;
  /** The most model steps in one Activation, all attempts together. */
  stepLimit: number;
  /** The longest that one attempt may take, in milliseconds. */
  deadlineMs: number;
}

/**
 * A language model in the `ai` package's own loop, with the Worker's tools over MCP.
 *
 * The text of the present model step is shown as it grows, and stays until the next step says something; the reply is the text of
 * the last step alone. Tool calls run one after the other. Each model step, with all its calls, is stored before a tool runs, and
 * each result before the next call: another attempt goes on from there.
 */
export async function createLlmRuntime(options: LlmRuntimeOptions): Promise<Runtime> {
  const model = await openModel(options.endpoint);
  // Else the package writes what it thinks of our settings to standard error.
  globalThis.AI_SDK_LOG_WARNINGS = false;
  return {
    name: 'llm',
    run: async (run) => ({
      text: await supervise(run.signal, options.deadlineMs, (signal) => think(model, options, run, signal)),
    }),
  };
}

async function think(
  model: LanguageModel,
  options: LlmRuntimeOptions,
  run: RuntimeRun,
  signal: AbortSignal,
): Promise<string> {
  const steps = createStepStore(run, signal);
  const stored = steps.reply();
  if (stored !== undefined) return stored;
  const client = await run.openTools();
  try {
    const calling: Calling = { client, steps, timeoutMs: options.deadlineMs };
    await settleOpenCalls(calling, run.isIdempotent);
    const stepsLeft = options.stepLimit - modelStepsOf(steps.steps()).length;
    if (stepsLeft > 0 && !endedByTool(run, steps)) await converse(model, options.endpoint, run, calling, stepsLeft);
    if (endedByTool(run, steps)) return await endSilently(steps);
    return steps.reply() ?? (await stopAtLimit(options.stepLimit, steps));
  } finally {
    await client.close().catch(() => undefined);
  }
}

/** Lets the model answer and call tools until it has no more calls or no step left. What it says is stored on the way. */
async function converse(
  model: LanguageModel,
  endpoint: ModelEndpoint,
  run: RuntimeRun,
  calling: Calling,
  stepsLeft: number,
): Promise<void> {
  const { steps } = calling;
  const { system, messages } = renderBriefing(run.briefing);
  const tools = await offerTools(calling);
  try {
    const { stream } = streamText({
      model,
      instructions: system,
      messages: [...messages, ...messagesOf(modelStepsOf(steps.steps()))],
      tools,
      toolCallConcurrency: 1,
      stopWhen: [isStepCount(stepsLeft), () => endedByTool(run, steps)],
      prepareStep: ({ messages: sent }) => ({
        messages: endpoint.provider === 'openai-compatible' ? picturesAside(sent) : sent,
      }),
      maxRetries: 0,
      // Else each event is copied and searched for secrets, for nobody.
      telemetry: { isEnabled: false },
      abortSignal: steps.signal,
      // OpenAI keeps what it is sent for a month unless told otherwise; other providers leave this out.
      providerOptions: { openai: { store: false } },
      onLanguageModelCallEnd: (event) => storeModelStep(steps, event),
      // Errors are thrown below; the package's default prints them.
      onError: () => undefined,
    });
    let text = '';
    for await (const part of stream) {
      if (part.type === 'error') throw part.error;
      if (part.type === 'start-step') text = '';
      if (part.type !== 'text-delta') continue;
      text += part.text;
      if (mayBeShown(text)) run.write(text);
    }
  } catch (error) {
    steps.signal.throwIfAborted();
    throw explainFailure(error, endpoint);
  }
  steps.signal.throwIfAborted();
}

/** Whether the last that happened is a call after which there is nothing to do until somebody answers. */
function endedByTool({ endsRun }: RuntimeRun, steps: StepStore): boolean {
  const last = modelStepsOf(steps.steps()).at(-1);
  return last?.calls.some(({ tool, result }) => result && !result.isError && (endsRun?.(tool) ?? false)) ?? false;
}

/** What the model said along with that call is its reply; mostly the call has said it all. */
async function endSilently(steps: StepStore): Promise<string> {
  const text = modelStepsOf(steps.steps()).at(-1)?.text.trim() || noReply;
  await steps.store({ kind: 'text', text, final: true });
  return text;
}

/** The reply when the limit of steps is reached: what the model said last, and a line that says so. */
async function stopAtLimit(stepLimit: number, steps: StepStore): Promise<string> {
  const modelSteps = modelStepsOf(steps.steps());
  if (modelSteps.length < stepLimit) throw new Error('the model ended without an answer');
  const said = modelSteps.at(-1)?.text.trim();
  const line = `I stopped after ${stepLimit} steps without finishing. Answer me and I go on.`;
  const text = said ? `${said}\n\n${line}` : line;
  await steps.store({ kind: 'text', text, final: true });
  return text;
}

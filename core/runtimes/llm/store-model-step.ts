import type { LanguageModelCallEndEvent } from 'ai';
import type { Usage } from '../runtime.ts';
import type { StepStore } from './step-store.ts';

/**
 * Stores what a model said in one go, before any of its tools runs: its text and then its calls, the usage with the first of these.
 * Calls that can't be made (an unknown tool, arguments that are no JSON) have their result at once. Without calls the text is the
 * reply. An answer that broke off is not stored: the model is asked again.
 */
export async function storeModelStep(steps: StepStore, event: LanguageModelCallEndEvent): Promise<void> {
  const { finishReason } = event;
  if (finishReason === 'error' || finishReason === 'interrupted') return;
  const text = event.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const calls = event.content.filter((part) => part.type === 'tool-call').filter((call) => !call.providerExecuted);
  let usage = usageOf(event);
  // With any other reason the package runs no tool: the calls may be cut.
  if (calls.length === 0 || (finishReason !== 'stop' && finishReason !== 'tool-calls')) {
    return await steps.store({ kind: 'text', text: withEnding(text.trim(), finishReason), final: true }, usage);
  }
  if (text.trim() !== '') {
    await steps.store({ kind: 'text', text }, usage);
    usage = undefined;
  }
  for (const { toolCallId, toolName, input } of calls) {
    await steps.store({ kind: 'tool_call', id: toolCallId, tool: toolName, input }, usage);
    usage = undefined;
  }
  for (const call of calls) {
    if (!call.invalid) continue;
    const output = call.error instanceof Error ? call.error.message : String(call.error);
    await steps.store({ kind: 'tool_result', id: call.toolCallId, tool: call.toolName, output, isError: true });
  }
}

/** A reply that stopped early says so, in a line of its own. */
function withEnding(text: string, finishReason: LanguageModelCallEndEvent['finishReason']): string {
  const line =
    finishReason === 'length'
      ? '(The model reached its longest answer here. Ask me to go on for the rest.)'
      : finishReason === 'content-filter'
        ? "(The model's provider ended this answer by its content filter.)"
        : '';
  return [text, line].filter((part) => part !== '').join('\n\n');
}

function usageOf({ usage }: LanguageModelCallEndEvent): Usage | undefined {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 };
}

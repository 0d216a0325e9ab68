import type { ModelMessage } from 'ai';
import type { Step } from '../runtime.ts';
import { modelOutput, textOf } from './tool-output.ts';

/** One call of a tool; without a result it is unknown whether it ran. */
export interface ToolCall {
  id: string;
  tool: string;
  input: unknown;
  result?: { output: unknown; isError: boolean };
}

/** What a model said in one go: a text, calls, or both. */
export interface ModelStep {
  text: string;
  final: boolean;
  calls: ToolCall[];
}

/**
 * Stored steps, put together to the model steps they came from. A text with neither calls nor `final` is left out: the process
 * went down before the calls of that model step were stored, so nothing of it has happened yet.
 */
export function modelStepsOf(steps: readonly Step[]): ModelStep[] {
  const modelSteps: ModelStep[] = [];
  for (const step of steps) {
    const last = modelSteps.at(-1);
    switch (step.kind) {
      case 'text':
        modelSteps.push({ text: step.text, final: step.final === true, calls: [] });
        break;
      case 'tool_call': {
        const call = { id: step.id, tool: step.tool, input: step.input };
        // Every call of a model step is stored before the first result, so a call after a result belongs to the next one.
        if (last && !last.final && last.calls.every((earlier) => !earlier.result)) last.calls.push(call);
        else modelSteps.push({ text: '', final: false, calls: [call] });
        break;
      }
      case 'tool_result': {
        const call = last?.calls.find(({ id, result }) => id === step.id && !result);
        if (call) call.result = { output: step.output, isError: step.isError };
        break;
      }
    }
  }
  return modelSteps.filter(({ final, calls }) => final || calls.length > 0);
}

/** The messages that a model is given to go on from its own earlier steps. Every call in them must have a result. */
export function messagesOf(modelSteps: readonly ModelStep[]): ModelMessage[] {
  return modelSteps.flatMap(({ text, calls }): ModelMessage[] => [
    {
      role: 'assistant',
      content: [
        ...(text.trim() === '' ? [] : [{ type: 'text' as const, text }]),
        ...calls.map(({ id, tool, input }) => ({
          type: 'tool-call' as const,
          toolCallId: id,
          toolName: tool,
          // Arguments that were no object were refused then; some providers take nothing else.
          input: typeof input === 'object' && input !== null ? input : {},
        })),
      ],
    },
    { role: 'tool', content: calls.map(resultPart) },
  ]);
}

function resultPart({ id, tool, result }: ToolCall) {
  const { output = '', isError = false } = result ?? {};
  return {
    type: 'tool-result' as const,
    toolCallId: id,
    toolName: tool,
    output: isError ? { type: 'error-text' as const, value: textOf(output) } : modelOutput(output),
  };
}

import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { dynamicTool, jsonSchema, type ToolSet } from 'ai';
import type { RuntimeRun } from '../runtime.ts';
import { modelStepsOf } from './model-steps.ts';
import type { StepStore } from './step-store.ts';
import { modelOutput, textOf } from './tool-output.ts';
import { callTool, listTools, type ToolResult } from './worker-tools.ts';

/** What calls of tools need during one attempt. */
export interface Calling {
  client: Client;
  steps: StepStore;
  timeoutMs: number;
}

const outcomeUnknown =
  'The outcome of this call is unknown: the process was interrupted before its result was stored. It may have happened. Check before you do it again.';

/** The Worker's tools for the `ai` package, read once. Each result is stored before the model hears of it. */
export async function offerTools(calling: Calling): Promise<ToolSet> {
  const tools = await listTools(calling.client, calling.steps.signal);
  return Object.fromEntries(
    tools.map(({ name, description, inputSchema }) => {
      const offered = dynamicTool({
        description,
        inputSchema: jsonSchema(inputSchema),
        execute: async (input, { toolCallId }) => {
          const { output, isError } = await callAndStore(calling, { id: toolCallId, tool: name, input });
          if (isError) throw new Error(textOf(output));
          return output;
        },
        toModelOutput: ({ output }) => modelOutput(output),
      });
      return [name, offered];
    }),
  );
}

/**
 * Gives every call that an earlier attempt left without a result one: by calling again what may be repeated, else by saying that
 * its outcome is unknown (design rule 6).
 */
export async function settleOpenCalls(calling: Calling, isIdempotent: RuntimeRun['isIdempotent']): Promise<void> {
  const open = modelStepsOf(calling.steps.steps()).flatMap(({ calls }) => calls.filter(({ result }) => !result));
  for (const call of open) {
    if (isIdempotent(call.tool)) await callAndStore(calling, call);
    else await storeResult(calling, call, { output: outcomeUnknown, isError: true });
  }
}

async function callAndStore(calling: Calling, call: { id: string; tool: string; input: unknown }): Promise<ToolResult> {
  const { client, steps, timeoutMs } = calling;
  steps.signal.throwIfAborted();
  const result = await callTool(client, call.tool, call.input, { signal: steps.signal, timeoutMs });
  await storeResult(calling, call, result);
  return result;
}

async function storeResult({ steps }: Calling, { id, tool }: { id: string; tool: string }, result: ToolResult) {
  await steps.store({ kind: 'tool_result', id, tool, ...result });
}

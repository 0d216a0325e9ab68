import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

/** What a tool answered: its JSON, or the sentence with which it refused. */
export type ToolAnswer = { refused: boolean; value: Record<string, unknown>; text: string };

/** A worker's MCP endpoint, through the SDK's own client. */
export type WorkerMcp = AsyncDisposable & {
  client: Client;
  /** Calls a tool; a refusal is an answer like any other. Throws when the server did not answer as MCP wants it. */
  call(tool: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  /** The JSON of a tool that is expected to succeed; throws an Error with its sentence when it refuses. */
  value(tool: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): Promise<void>;
};

/** Connects to the endpoint of `worker` at a core, e.g. `http://127.0.0.1:8080`. Throws what the SDK throws (401, 403, refused). */
export async function connectWorker(url: string, worker: string, token: string): Promise<WorkerMcp> {
  const client = new Client({ name: 'e2e', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/workers/${worker}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);

  const call = async (tool: string, args: Record<string, unknown> = {}): Promise<ToolAnswer> => {
    const result = CallToolResultSchema.parse(
      await client.callTool({ name: tool, arguments: args }, undefined, { timeout: 90_000 }),
    );
    const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
    return { refused: result.isError === true, value: result.structuredContent ?? readObject(text), text };
  };
  const close = () => client.close();
  return {
    client,
    call,
    value: async (tool, args) => {
      const answer = await call(tool, args);
      if (answer.refused) throw new Error(`${tool} refused: ${answer.text}`);
      return answer.value;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function readObject(text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    return {};
  }
}

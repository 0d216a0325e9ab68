import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { ListToolsRequestSchema, type ListToolsResult } from '@modelcontextprotocol/sdk/types.js';
import { dynamicTool, jsonSchema, streamText } from 'ai';
import { z } from 'zod';
import { jsonSchemaValidator } from '../core/mcp/schema-validator.ts';
import { listingOfTools } from '../core/mcp/tool-listing.ts';
import { assistantGrants } from '../core/organisation/seed.ts';

/**
 * Asks a model as plainly as the packages allow that our runtime is built on: the tools of a new Assistant are listed by an MCP server
 * in this process, the answer is streamed by the `ai` package. No record, no rules, no retries.
 */
export function askThroughPackages(modelUrl: string): (text: string) => Promise<string> {
  const provider = createOpenAICompatible({ name: 'floor', baseURL: modelUrl, apiKey: 'bench', includeUsage: true });
  const model = provider.chatModel('scripted');
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const implementation = { name: 'floor', version: '1' };
  return async (text) => {
    const server = new Server(implementation, { capabilities: { tools: {} }, jsonSchemaValidator });
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: listingOfTools(assistantGrants) }));
    const client = new Client(implementation, { jsonSchemaValidator });
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    await server.connect(theirs);
    await client.connect(ours);
    const { tools } = await client.request({ method: 'tools/list', params: {} }, z.custom<ListToolsResult>());
    const { textStream } = streamText({
      model,
      instructions: 'Help.',
      messages: [{ role: 'user', content: text }],
      tools: Object.fromEntries(
        tools.map(({ name, description, inputSchema }) => [
          name,
          dynamicTool({ description, inputSchema: jsonSchema(inputSchema), execute: () => '' }),
        ]),
      ),
      maxRetries: 0,
      telemetry: { isEnabled: false },
    });
    let answer = '';
    for await (const piece of textStream) answer += piece;
    await client.close();
    return answer;
  };
}

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

/** What a tool of a test says: a text, or one with a picture (base64). */
export type TestToolResult = string | { text: string; picture: string };

/** What the tools of a test do; `signal` is aborted when the caller gives up. */
export type TestTools = Record<
  string,
  (input: Record<string, unknown>, signal: AbortSignal) => Promise<TestToolResult> | TestToolResult
>;

/** Opens a real MCP server in this process, with tools that take anything, and a client on it. */
export async function openTestTools(tools: TestTools): Promise<Client> {
  const server = new McpServer({ name: 'test', version: '1' });
  for (const [name, act] of Object.entries(tools)) {
    server.registerTool(
      name,
      { description: `The tool ${name}.`, inputSchema: z.looseObject({}) },
      async (input, { signal }) => {
        const said = await act(input, signal);
        if (typeof said === 'string') return { content: [{ type: 'text', text: said }] };
        return {
          content: [
            { type: 'text', text: said.text },
            { type: 'image', data: said.picture, mimeType: 'image/jpeg' },
          ],
        };
      },
    );
  }
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await server.connect(theirs);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(ours);
  return client;
}

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import manifest from '../../package.json' with { type: 'json' };
import type { ToolContext } from '../tools/tool.ts';
import { jsonSchemaValidator } from './schema-validator.ts';
import { makeWorkerServer } from './worker-server.ts';

/**
 * A client of a Worker's own MCP server in this process: the same server as over HTTP, so the same grants and the same rules.
 * Closing the client closes both. `read_events` may wait 60 s, which is the client's usual patience: give such a call more.
 */
export async function openWorkerMcp(context: ToolContext): Promise<Client> {
  const server = makeWorkerServer(context);
  const client = new Client({ name: manifest.name, version: manifest.version }, { jsonSchemaValidator });
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await server.connect(theirs);
  await client.connect(ours);
  return client;
}

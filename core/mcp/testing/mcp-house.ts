import { createSecretKey } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Core } from '../../core.ts';
import type { Door } from '../../delivery/door.ts';
import { coreForTests } from '../../dispatch/testing/core-for-tests.ts';
import { createHttpApp } from '../../http/http-app.ts';
import { listen } from '../../http/listen.ts';
import { createReadiness } from '../../http/readiness.ts';
import { defaultOrganisation, ownerWorker, seed } from '../../organisation/seed.ts';
import type { SecretKey } from '../../secrets/secret-key.ts';
import type { OrganisationId, WorkerId } from '../../store/ids.ts';
import { testDatabase } from '../../store/testing/test-database.ts';
import { mountMcp } from '../mount-mcp.ts';
import { makeToken } from '../tokens.ts';

/** What a tool said: the JSON of its result, or the text of its error. */
export interface ToolAnswer {
  isError: boolean;
  value: Record<string, unknown>;
  text: string;
}

/** A seeded core with its MCP endpoint on a real HTTP server, and real clients. */
export interface McpHouse extends AsyncDisposable {
  core: Core;
  url: string;
  secretKey: SecretKey;
  token(worker?: WorkerId, organisation?: OrganisationId): Promise<string>;
  /** A client over HTTP, closed with the house. */
  connect(worker?: WorkerId, organisation?: OrganisationId): Promise<Client>;
  /** Calls a tool as a Worker (the owner), over HTTP. */
  call(tool: string, input?: unknown, as?: { worker?: WorkerId; organisation?: OrganisationId }): Promise<ToolAnswer>;
}

/** Opens a house of a test's own. */
export async function openMcpHouse(
  options: { doors?: readonly Door[]; allowedHosts?: string[] } = {},
): Promise<McpHouse> {
  const database = await testDatabase();
  const { core, close } = await coreForTests({ url: database.url, ...(options.doors ? { doors: options.doors } : {}) });
  await seed(core.database);
  const secretKey = createSecretKey('a secret key that is only for tests', 'utf8');
  const http = createHttpApp({ log: core.log, metrics: core.metrics, readiness: createReadiness(), metricsAllow: [] });
  http.mount('/', mountMcp(core, { secretKey, allowedHosts: options.allowedHosts ?? ['switchboard.example'] }));
  const listening = await listen(http.app, { host: '127.0.0.1', port: 0 });
  const clients = new Map<string, Promise<Client>>();

  async function open(worker: WorkerId, organisation: OrganisationId): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' });
    const headers = { authorization: `Bearer ${await makeToken(core.database, secretKey, organisation, worker)}` };
    const url = new URL(`${listening.url}/workers/${worker}/mcp`);
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
    return client;
  }

  function connect(worker: WorkerId = ownerWorker, organisation: OrganisationId = defaultOrganisation) {
    const key = `${organisation}/${worker}`;
    const client = clients.get(key) ?? open(worker, organisation);
    clients.set(key, client);
    return client;
  }

  return {
    core,
    url: listening.url,
    secretKey,
    token: (worker = ownerWorker, organisation = defaultOrganisation) =>
      makeToken(core.database, secretKey, organisation, worker),
    connect,
    async call(tool, input = {}, as = {}) {
      const client = await connect(as.worker, as.organisation);
      return readAnswer(await client.callTool({ name: tool, arguments: input as Record<string, unknown> }));
    },
    async [Symbol.asyncDispose]() {
      for (const client of await Promise.allSettled(clients.values()))
        if (client.status === 'fulfilled') await client.value.close();
      await listening.close(0);
      await close();
      await database.close();
    },
  };
}

/** Reads what a client's `callTool` gave. */
export function readAnswer(result: Awaited<ReturnType<Client['callTool']>>): ToolAnswer {
  const [part] = result.content as { type: string; text: string }[];
  const text = part?.text ?? '';
  const isError = result.isError === true;
  return { isError, text, value: isError ? {} : JSON.parse(text) };
}

/** What lies at `role.content` or `events.0.body` in a result; undefined when there is nothing. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (here, key) => (here instanceof Object ? (here as Record<string, unknown>)[key] : undefined),
      value,
    );
}

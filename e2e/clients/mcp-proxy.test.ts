import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { type McpProxy, type McpProxyOptions, startMcpProxy } from './mcp-proxy.ts';

const servers: Server[] = [];
const proxies: McpProxy[] = [];

afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function proxyTo(
  answer: (incoming: IncomingMessage, response: ServerResponse) => void,
  options: Partial<McpProxyOptions> = {},
): Promise<McpProxy & { target: string }> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy = await startMcpProxy({ target, token: 'secret', ...options });
  proxies.push(proxy);
  return { ...proxy, target };
}

/** `fetch` does not let a caller choose Host, `request` does. */
function getWithHost(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host, origin: `http://${host}` };
    request(url, { headers }, (answer) => resolve(text(answer)))
      .on('error', reject)
      .end();
  });
}

const echoHeaders = (incoming: IncomingMessage, response: ServerResponse) => {
  response.setHeader('set-cookie', ['a=1', 'b=2']);
  response.end(JSON.stringify({ method: incoming.method, url: incoming.url, ...incoming.headers }));
};

it('adds the bearer token in place of any other and passes the rest on', async () => {
  const proxy = await proxyTo(echoHeaders);
  const response = await fetch(`${proxy.url}/workers/w-owner/mcp?x=1`, {
    method: 'DELETE',
    headers: { authorization: 'Bearer other', 'mcp-session-id': 's1' },
  });
  expect(await response.json()).toMatchObject({
    method: 'DELETE',
    url: '/workers/w-owner/mcp?x=1',
    authorization: 'Bearer secret',
    'mcp-session-id': 's1',
  });
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

it('leaves Host and Origin as the client sent them', async () => {
  const proxy = await proxyTo(echoHeaders);
  const seen = JSON.parse(await getWithHost(proxy.url, 'evil.example.com'));
  expect(seen).toMatchObject({ host: 'evil.example.com', origin: 'http://evil.example.com' });
});

it('names the target as the host when told', async () => {
  const proxy = await proxyTo(echoHeaders, { rewriteHost: true });
  const seen = JSON.parse(await getWithHost(proxy.url, 'evil.example.com'));
  expect(seen).toMatchObject({ host: proxy.target.slice('http://'.length), origin: 'http://evil.example.com' });
});

it('hands a stream on piece by piece, and the end of a client that leaves', async () => {
  let left = false;
  const proxy = await proxyTo((_incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    response.on('close', () => {
      left = true;
    });
  });
  const leave = new AbortController();
  const response = await fetch(proxy.url, { signal: leave.signal });
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(new TextDecoder().decode(value)).toBe('data: 1\n\n');
  leave.abort();
  await expect.poll(() => left).toBe(true);
});

it('ends the client of a target that breaks off in mid-answer', async () => {
  const proxy = await proxyTo((_incoming, response) => {
    response.writeHead(200).write('half', () => response.destroy());
  });
  await expect(fetch(proxy.url).then((response) => response.text())).rejects.toThrow('terminated');
});

it('answers 502 when the target does not', async () => {
  const proxy = await proxyTo(echoHeaders);
  for (const server of servers.splice(0)) server.close();
  const response = await fetch(proxy.url);
  expect(response.status).toBe(502);
  expect(await response.text()).toContain('ECONNREFUSED');
});

it('wants an origin as its target', async () => {
  await expect(startMcpProxy({ target: 'http://127.0.0.1:1/mcp', token: 't' })).rejects.toThrow('without a path');
});

it('lets a real MCP client work through it', async () => {
  const proxy = await proxyTo(async (incoming, response) => {
    if (incoming.headers.authorization !== 'Bearer secret') return void response.writeHead(401).end();
    const server = new McpServer({ name: 'adder', version: '1' });
    server.registerTool('add', { inputSchema: { a: z.number() } }, ({ a }) => ({
      content: [{ type: 'text', text: String(a + 1) }],
    }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await server.connect(transport);
    await transport.handleRequest(incoming, response);
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${proxy.url}/mcp`)));
  const result = await client.callTool({ name: 'add', arguments: { a: 1 } });
  expect(result.content).toEqual([{ type: 'text', text: '2' }]);
  await client.close();
});

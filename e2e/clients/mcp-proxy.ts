import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { parseArgs } from 'node:util';
import { listenOnLoopback } from '../stand-ins/loopback-http.ts';
import { runProgram } from '../stand-ins/run-program.ts';

/** A running proxy; `url` is its origin, to be used where the target's would be. */
export type McpProxy = { url: string; port: number; close(): Promise<void> };

/** What a proxy stands before and what it adds. */
export type McpProxyOptions = {
  /** The server's origin, for example `http://127.0.0.1:8080`. Throws when it has a path. */
  target: string;
  /** Sent as `Authorization: Bearer <token>` with every request, in place of any other. */
  token: string;
  /** Default 0: a free one. */
  port?: number;
  /** Names the target in the Host header instead of what the client sent; default false. */
  rewriteHost?: boolean;
};

/** Headers that belong to one connection and not to the message (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade']);

/**
 * Stands before an MCP endpoint and adds the bearer token, for clients that cannot send one (the MCP conformance tests).
 * Everything else goes through as it came, in both directions and as it comes: Host and Origin too, so that the server
 * sees a rebinding attempt as the client made it. A target that does not answer is a 502.
 */
export async function startMcpProxy(options: McpProxyOptions): Promise<McpProxy> {
  const target = new URL(options.target);
  if (target.protocol !== 'http:' || target.pathname !== '/') {
    throw new Error(`the target is an origin like http://127.0.0.1:8080, without a path, not ${options.target}`);
  }
  const agent = new Agent({ keepAlive: true });
  const host = options.rewriteHost ? target.host : undefined;

  const forward = (incoming: IncomingMessage, response: ServerResponse) => {
    const outgoing = request({
      agent,
      host: target.hostname,
      port: target.port || 80,
      method: incoming.method,
      path: incoming.url,
      headers: headersFor(incoming, options.token, host),
      setHost: false,
    });
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
      response.flushHeaders();
      pipeline(answer, response, () => {});
    });
    outgoing.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else
        response.writeHead(502, { 'content-type': 'text/plain' }).end(`No answer from the target: ${error.message}\n`);
    });
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  };

  const server = await listenOnLoopback(forward, options.port);
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port,
    close: async () => {
      agent.destroy();
      await server.close();
    },
  };
}

function headersFor(incoming: IncomingMessage, token: string, host: string | undefined): string[] {
  const replaced = new Set(host === undefined ? ['authorization'] : ['authorization', 'host']);
  const kept = endToEnd(incoming.rawHeaders, replaced);
  return [...kept, 'Authorization', `Bearer ${token}`, ...(host === undefined ? [] : ['Host', host])];
}

function endToEnd(rawHeaders: readonly string[], without: ReadonlySet<string> = new Set()): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!HOP_BY_HOP.has(name.toLowerCase()) && !without.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

if (import.meta.main) {
  await runProgram(async () => {
    const { values } = parseArgs({
      options: {
        target: { type: 'string' },
        token: { type: 'string', default: process.env.MCP_TOKEN },
        port: { type: 'string', default: '0' },
        'rewrite-host': { type: 'boolean', default: false },
      },
    });
    if (!values.target || !values.token) throw new Error('say --target http://127.0.0.1:8080 and --token or MCP_TOKEN');
    return startMcpProxy({
      target: values.target,
      token: values.token,
      port: Number(values.port),
      rewriteHost: values['rewrite-host'],
    });
  });
}

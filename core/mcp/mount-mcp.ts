import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { type RequestHandler, type Response, Router } from 'express';
import type { Core } from '../core.ts';
import { ForbiddenError } from '../errors.ts';
import { allowHosts } from '../http/allow-hosts.ts';
import type { SecretKey } from '../secrets/secret-key.ts';
import { type Bearer, verifyToken } from './tokens.ts';
import { makeWorkerServer } from './worker-server.ts';

/** More than the longest body of a tool, less than what would hurt. */
const longestBody = 4 * 1024 * 1024;

/**
 * The MCP endpoint of every Worker: stateless Streamable HTTP at `/workers/{id}/mcp`, a server per request. Who asks is settled
 * before anything is parsed: a foreign Host or Origin is refused (DNS rebinding), then a missing or wrong token (401), then
 * another Worker's (403). The token carries the Organisation.
 *
 * @param options `allowedHosts`: PUBLIC_URL's host; this machine is always allowed
 */
export function mountMcp(
  core: Core,
  options: { secretKey: SecretKey; allowedHosts: readonly string[] },
): RequestHandler {
  const router = Router();
  const path = '/workers/:id/mcp';
  router.use(path, allowHosts(options.allowedHosts));
  router.all(path, async (request, response) => {
    const bearer = await verifyToken(core.database, options.secretKey, request.headers.authorization);
    if (bearer.worker !== request.params.id)
      throw new ForbiddenError(`this token is for ${bearer.worker}: use the endpoint /workers/${bearer.worker}/mcp`);
    if (request.method !== 'POST') return refuseMethod(response);

    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const server = makeWorkerServer(contextOf(core, bearer, gone.signal));
    // Answers come as an event stream, whose comments keep a long poll alive through proxies.
    const transport = new StreamableHTTPServerTransport({ maxRequestBodySize: longestBody });
    response.once('close', () => void server.close());
    await server.connect(transport);
    await transport.handleRequest(request, response);
  });
  return router;
}

function contextOf(core: Core, { organisation, worker }: Bearer, signal: AbortSignal) {
  return { core, organisation, worker, signal };
}

/** There is no session to delete, and nothing that the server would say unasked. */
function refuseMethod(response: Response): void {
  const error = { code: -32000, message: 'Method not allowed: this endpoint takes POST only.' };
  response.status(405).set('Allow', 'POST').json({ jsonrpc: '2.0', error, id: null });
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request of the bot. */
export interface ConnectorCall {
  at: number;
  action: 'post' | 'edit' | 'typing' | 'begin';
  conversation: string;
  /** The message edited. */
  message: string | undefined;
  text: string;
  authorization: string | undefined;
  body: Record<string, unknown>;
}

/** What to answer instead of taking a request. */
export interface Refusal {
  status: number;
  retryAfter?: string;
  code?: string;
}

/**
 * Stands for Teams' connector on loopback: the part of its protocol that a bot needs ("Bot Connector REST API": Send to
 * Conversation, Update Activity, Create Conversation), with its error bodies.
 */
export interface ConnectorStandIn {
  serviceUrl: string;
  /** Every request that it took, in order. */
  calls: readonly ConnectorCall[];
  /** The messages that stand in a conversation now, by id. */
  messages(conversation: string): Map<string, string>;
  /** Deletes a message, as a person may. */
  remove(conversation: string, message: string): void;
  /** Asked before each request: a refusal, or undefined. */
  refuse(decide: (call: ConnectorCall) => Refusal | undefined): void;
  close(): Promise<void>;
}

/** Starts it on a free port. */
export async function startConnector(): Promise<ConnectorStandIn> {
  const calls: ConnectorCall[] = [];
  const stored = new Map<string, Map<string, string>>();
  let decide: (call: ConnectorCall) => Refusal | undefined = () => undefined;
  let next = 1_700_000_000_000;
  const messages = (conversation: string) => {
    let found = stored.get(conversation);
    if (!found) {
      found = new Map();
      stored.set(conversation, found);
    }
    return found;
  };

  const server = createServer(async (request, response) => {
    const answer = (status: number, body?: unknown, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(body === undefined ? '' : JSON.stringify(body));
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString() || '{}') as Record<string, unknown>;
    const call = callOf(request.method ?? '', request.url ?? '', body);
    if (!call) return answer(404, { error: { code: 'NotFound', message: 'no such route' } });
    const taken = { ...call, at: performance.now(), authorization: request.headers.authorization, body };
    const refusal = decide(taken);
    if (refusal) {
      const error = { code: refusal.code ?? 'Refused', message: 'as the test wants it' };
      return answer(refusal.status, { error }, refusal.retryAfter ? { 'retry-after': refusal.retryAfter } : {});
    }
    if (call.action === 'edit' && !messages(call.conversation).has(call.message ?? ''))
      return answer(404, { error: { code: 'ActivityNotFoundInConversation', message: 'no such activity' } });
    calls.push(taken);
    if (call.action === 'typing') return answer(202);
    const id = call.message ?? String(next++);
    if (call.action === 'begin') {
      const conversation = `${call.conversation};messageid=${id}`;
      messages(conversation).set(id, call.text);
      return answer(201, { id: conversation, activityId: id });
    }
    messages(call.conversation).set(id, call.text);
    return answer(call.action === 'edit' ? 200 : 201, { id });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    serviceUrl: `http://127.0.0.1:${port}/teams/`,
    calls,
    messages,
    remove: (conversation, message) => void messages(conversation).delete(message),
    refuse(next) {
      decide = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Route = Pick<ConnectorCall, 'action' | 'conversation' | 'message' | 'text'>;

function callOf(method: string, url: string, body: Record<string, unknown>): Route | undefined {
  const path = url.replace(/^\/teams/, '');
  if (method === 'POST' && path === '/v3/conversations') {
    const channel = (body.channelData as { channel?: { id?: string } } | undefined)?.channel?.id;
    const { text } = (body.activity ?? {}) as { text?: string };
    return channel ? { action: 'begin', conversation: channel, message: undefined, text: text ?? '' } : undefined;
  }
  const match = /^\/v3\/conversations\/([^/]+)\/activities(?:\/([^/]+))?$/.exec(path);
  if (!match?.[1]) return undefined;
  const conversation = decodeURIComponent(match[1]);
  const message = match[2] === undefined ? undefined : decodeURIComponent(match[2]);
  const text = typeof body.text === 'string' ? body.text : '';
  if (method === 'PUT' && message !== undefined) return { action: 'edit', conversation, message, text };
  if (method !== 'POST') return undefined;
  return { action: body.type === 'typing' ? 'typing' : 'post', conversation, message: undefined, text };
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request of the bot. */
export interface ConnectorCall {
  at: number;
  action: 'post' | 'edit' | 'typing' | 'begin' | 'open';
  conversation: string;
  /** The message edited. */
  message: string | undefined;
  text: string;
  /** Undefined: the message is text. */
  card: ShownCard | undefined;
  authorization: string | undefined;
  body: Record<string, unknown>;
}

/** An Adaptive Card, as far as tests ask. */
export interface ShownCard {
  version: string;
  body: { type: string; text?: string; url?: string; altText?: string }[];
  actions: { type: string; title: string; url?: string; data?: unknown }[];
}

/** What to answer instead of taking a request. */
export interface Refusal {
  status: number;
  retryAfter?: string;
  code?: string;
}

/**
 * Stands for Teams' connector on loopback: the part of its protocol that a bot needs ("Bot Connector REST API": Send to
 * Conversation, Update Activity, Create Conversation), with its error bodies, the limit of 28 KB a message, and its two messages
 * without an id for an activity that has both text and a card.
 */
export interface ConnectorStandIn {
  serviceUrl: string;
  /** Every request that it took, in order. */
  calls: readonly ConnectorCall[];
  /** The messages that stand in a conversation now, by id: their text, or a card's summary. */
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
    const { activity = body } = body as { activity?: Record<string, unknown> };
    if (JSON.stringify(activity).length * 2 > largestMessage)
      return answer(413, { error: { code: 'MessageSizeTooBig', message: 'Message size too large.' } });
    calls.push(taken);
    if (call.card && activity.text) return answer(202, {});
    if (call.action === 'open') return answer(201, { id: call.conversation });
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

/** In bytes of UTF-16 ("Format your bot messages"): what is taken everywhere. */
const largestMessage = 28 * 1024;

type Route = Pick<ConnectorCall, 'action' | 'conversation' | 'message' | 'text' | 'card'>;

function callOf(method: string, url: string, body: Record<string, unknown>): Route | undefined {
  const path = url.replace(/^\/teams/, '');
  if (method === 'POST' && path === '/v3/conversations') return body.isGroup ? beginOf(body) : openOf(body);
  const match = /^\/v3\/conversations\/([^/]+)\/activities(?:\/([^/]+))?$/.exec(path);
  if (!match?.[1]) return undefined;
  const conversation = decodeURIComponent(match[1]);
  const message = match[2] === undefined ? undefined : decodeURIComponent(match[2]);
  const said = { conversation, message, ...shownIn(body) };
  if (method === 'PUT' && message !== undefined) return { action: 'edit', ...said };
  if (method !== 'POST') return undefined;
  return { action: body.type === 'typing' ? 'typing' : 'post', ...said, message: undefined };
}

function beginOf(body: Record<string, unknown>): Route | undefined {
  const channel = (body.channelData as { channel?: { id?: string } } | undefined)?.channel?.id;
  const activity = (body.activity ?? {}) as Record<string, unknown>;
  return channel ? { action: 'begin', conversation: channel, message: undefined, ...shownIn(activity) } : undefined;
}

/** A personal chat: the same one however often it is asked for. */
function openOf({ members, tenantId, bot }: Record<string, unknown>): Route | undefined {
  const [member, ...more] = (members ?? []) as { id?: string }[];
  if (!member?.id || more.length > 0 || typeof tenantId !== 'string' || !(bot as { id?: string })?.id) return undefined;
  return { action: 'open', conversation: `a:chat-with-${member.id}`, message: undefined, text: '', card: undefined };
}

function shownIn(activity: Record<string, unknown>): Pick<Route, 'text' | 'card'> {
  const [attachment] = (activity.attachments ?? []) as { contentType: string; content: ShownCard }[];
  const card = attachment?.contentType === 'application/vnd.microsoft.card.adaptive' ? attachment.content : undefined;
  const text = card ? activity.summary : activity.text;
  return { text: typeof text === 'string' ? text : '', card };
}

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chunksOf, completionOf, type Reply } from './chat-reply.ts';
import { type ChatRefusal, isRefusal, type ParsedChatRequest, parseChatRequest } from './chat-request.ts';
import { listenOnLoopback } from './loopback-http.ts';
import { type Script, scriptNamed } from './model-scripts.ts';
import { runProgram } from './run-program.ts';

/** One request that came in, in order of arrival. */
export type RecordedRequest = {
  at: Date;
  method: string;
  path: string;
  /** The body as it came, JSON or not. */
  body: unknown;
  /** Set when the body passed every check. */
  request?: ParsedChatRequest;
  /** The HTTP status it was answered with; unset while it is being answered. */
  status?: number;
  /** `aborted`: the client left before the answer was whole. */
  outcome: 'pending' | 'answered' | 'aborted';
};

/** What a model server is made of; only the script is required. */
export type ModelServerOptions = {
  script: Script;
  /** Default 0: a free one. */
  port?: number;
  /** When set, a request without `Authorization: Bearer <key>` is a 401. */
  key?: string;
  /** The models it lists and accepts; default `['scripted']`. */
  models?: string[];
  /** What `GET /v1/models` answers: the list (default), 404 as servers without one do, or 401 as for a wrong key. */
  modelList?: 'listed' | 'missing' | 'refused';
  /** How many requests are remembered, the oldest forgotten first; default 1000. */
  remember?: number;
};

/** A running model server. */
export type ModelServer = {
  /** The base URL with its `/v1`, as OPENAI_BASE_URL wants it. */
  url: string;
  port: number;
  /** Every request remembered, oldest first; a live view of records that are still being answered. */
  requests(): readonly RecordedRequest[];
  /** The accepted chat requests among them. */
  chats(): ParsedChatRequest[];
  forgetRequests(): void;
  /** Answers by another script from the next request on. */
  use(script: Script): void;
  /** Goes away (ECONNREFUSED, running streams are cut) and comes back on the same port. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
};

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * A scripted stand-in for a server of OpenAI's chat completions API, on loopback. It checks requests as strictly as
 * OpenAI does (chat-request.ts) and answers what the script says. A request to which no script applies is a 500 that says
 * so. Source: OpenAI's API reference, "Chat completions" and "Streaming".
 */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const models = options.models ?? ['scripted'];
  const remember = options.remember ?? 1000;
  const records: RecordedRequest[] = [];
  let script = options.script;

  const answer = async (incoming: IncomingMessage, response: ServerResponse) => {
    const path = new URL(incoming.url ?? '/', 'http://127.0.0.1').pathname;
    const record: RecordedRequest = {
      at: new Date(),
      method: incoming.method ?? '',
      path,
      body: undefined,
      outcome: 'pending',
    };
    records.push(record);
    if (records.length > remember) records.shift();
    const gone = new AbortController();
    response.on('close', () => {
      record.outcome = response.writableFinished ? 'answered' : 'aborted';
      if (response.headersSent) record.status = response.statusCode;
      gone.abort();
    });
    response.setHeader('x-request-id', `req_${randomBytes(8).toString('hex')}`);

    if (options.key !== undefined && incoming.headers.authorization !== `Bearer ${options.key}`) {
      return refuse(response, unauthorized(incoming.headers.authorization !== undefined));
    }
    const route = `${incoming.method} ${path}`;
    if (route === 'GET /v1/models' && options.modelList === 'refused') return refuse(response, unauthorized(true));
    if (route === 'GET /v1/models' && options.modelList !== 'missing') return listModels(response, models);
    if (route !== 'POST /v1/chat/completions') {
      return refuse(response, failure(404, `Invalid URL (${route})`, 'invalid_request_error'));
    }
    record.body = await readJson(incoming);
    const request = parseChatRequest(record.body, models);
    if (isRefusal(request)) return refuse(response, request);
    record.request = request;
    const reply = await script(request);
    if (!reply) throw new Error('No script of this model server applies to the request.');
    await send(request, reply, response, gone.signal);
  };

  const server = await listenOnLoopback((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      if (response.destroyed) return;
      if (response.headersSent) return void response.destroy();
      refuse(response, failure(500, error instanceof Error ? error.message : String(error), 'server_error'));
    });
  }, options.port);

  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    port: server.port,
    requests: () => records,
    chats: () => records.flatMap((record) => record.request ?? []),
    forgetRequests: () => void records.splice(0),
    use: (next) => {
      script = next;
    },
    pause: server.pause,
    resume: server.resume,
    close: server.close,
  };
}

async function send(request: ParsedChatRequest, reply: Reply, response: ServerResponse, gone: AbortSignal) {
  if (reply.delayMs) await sleep(reply.delayMs, undefined, { signal: gone });
  if (reply.status !== undefined && reply.status !== 200) {
    const retryAfter = reply.retryAfterSeconds ?? (reply.status === 429 ? 1 : undefined);
    if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
    return refuse(response, scriptedFailure(reply.status, request.model));
  }
  if (!request.stream) {
    if (reply.hangAfterChunks !== undefined) return untilGone(gone);
    return sendJson(response, 200, completionOf(request, reply));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  response.flushHeaders();
  for (const [sent, chunk] of chunksOf(request, reply).entries()) {
    // The first chunk carries the role alone, so `sent - 1` pieces of content have gone out.
    if (sent > 0 && sent - 1 === reply.hangAfterChunks) return untilGone(gone);
    if (sent > 1 && reply.chunkMs) await sleep(reply.chunkMs, undefined, { signal: gone });
    if (gone.aborted) return;
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  response.end('data: [DONE]\n\n');
}

function untilGone(gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) resolve();
    gone.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new Error(`The request is larger than ${MAX_BODY_BYTES} bytes.`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function listModels(response: ServerResponse, models: readonly string[]): void {
  const data = models.map((id) => ({ id, object: 'model', created: 1_750_000_000, owned_by: 'stand-in' }));
  sendJson(response, 200, { object: 'list', data });
}

function refuse(response: ServerResponse, refusal: ChatRefusal): void {
  sendJson(response, refusal.status, { error: refusal.error });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function unauthorized(given: boolean): ChatRefusal {
  const message = given ? 'Incorrect API key provided.' : "You didn't provide an API key.";
  return { status: 401, error: { message, type: 'invalid_request_error', param: null, code: 'invalid_api_key' } };
}

function scriptedFailure(status: number, model: string): ChatRefusal {
  if (status === 429) return failure(429, `Rate limit reached for ${model}.`, 'requests', 'rate_limit_exceeded');
  if (status === 401) return unauthorized(true);
  if (status >= 500) return failure(status, 'The server had an error while processing your request.', 'server_error');
  return failure(status, `The script answers ${status}.`, 'invalid_request_error');
}

function failure(status: number, message: string, type: string, code: string | null = null): ChatRefusal {
  return { status, error: { message, type, param: null, code } };
}

if (import.meta.main) {
  await runProgram(async () => {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        key: { type: 'string' },
        model: { type: 'string', multiple: true },
        script: { type: 'string', default: 'everything' },
        text: { type: 'string' },
        chunks: { type: 'string' },
        'chunk-ms': { type: 'string' },
      },
    });
    const number = (value: string | undefined) => (value === undefined ? undefined : Number(value));
    return startModelServer({
      port: Number(values.port),
      key: values.key,
      models: values.model,
      script: scriptNamed(values.script, {
        text: values.text,
        chunks: number(values.chunks),
        chunkMs: number(values['chunk-ms']),
      }),
    });
  });
}

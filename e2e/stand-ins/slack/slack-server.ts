import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { listenOnLoopback } from '../loopback-http.ts';
import { runProgram } from '../run-program.ts';
import { SlackApiError } from './api-error.ts';
import { chatMethods, type Method } from './chat-methods.ts';
import { fileMethods } from './file-methods.ts';
import { openJournal } from './journal.ts';
import { createRateLimits, type Limit, type RateLimits, type Storm, slackLimits } from './rate-limits.ts';
import { type Arguments, readArguments } from './read-arguments.ts';
import { readingMethods } from './reading-methods.ts';
import { createWorkspace, type SlackWorkspace, type StoredMessage } from './workspace.ts';

/** One call that came in, in order of arrival. */
export type ApiCall = {
  at: number;
  method: string;
  args: Arguments;
  /** The HTTP status; unset while it is being answered. */
  status?: number;
  /** Slack's error code; unset for `ok`. */
  error?: string;
};

export type SlackServerOptions = {
  /** Default 0: a free one. */
  port?: number;
  /** The one token that is taken; default `xoxb-stand-in`. */
  token?: string;
  team?: string;
  /** Default none. `slackLimits` are Slack's own. */
  limits?: Record<string, Limit>;
  /** Each message and edit is appended there before its call is answered. */
  journal?: string;
  /** How many calls are remembered, the oldest forgotten first; default 20,000. */
  remember?: number;
  /** Makes conversations that are not there as soon as they are named, with the app in them; default false. */
  anyChannel?: boolean;
};

/** A running stand-in for Slack's Web API. */
export type SlackServer = {
  /** `http://127.0.0.1:<port>/api/`, as SLACK_API_URL wants it. */
  apiUrl: string;
  /** The same under the name that every program of this folder prints. */
  url: string;
  port: number;
  token: string;
  workspace: SlackWorkspace;
  limits: RateLimits;
  calls(): readonly ApiCall[];
  /** What the app wrote in a thread (or, without a thread, in the channel itself) and nobody deleted. */
  replies(channel: string, threadTs?: string): StoredMessage[];
  /** The first message of the app, here or still to come, that the predicate accepts; throws an Error after `ms`. */
  waitFor(predicate: (message: StoredMessage) => boolean, ms: number): Promise<StoredMessage>;
  /** Does what each call of a method asks for only when what it gives is called. */
  hold(method: string): () => void;
  /** Does what it asks for at once, and answers only after so many milliseconds; 0 ends it. */
  answerLate(method: string, ms: number): void;
  /** Does what the next `n` calls of a method ask for and hangs up without an answer, as a broken connection does. */
  hangUpAfter(method: string, n: number): void;
  /** Answers the next `n` calls of a method with an error of Slack's. */
  failNext(method: string, error: string, n?: number): void;
  /** Refuses the bytes of the next `n` files with HTTP status 500. */
  failUploads(n: number): void;
  /** Calls back for each message that the app has written or edited. */
  onWrite(listener: (message: StoredMessage, kind: 'posted' | 'edited') => void): void;
  /** Goes away (ECONNREFUSED) and comes back on the same port. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
};

const methods: Readonly<Record<string, Method>> = { ...chatMethods, ...readingMethods, ...fileMethods };

/**
 * A stand-in for Slack's Web API on loopback: token check, documented errors, checked arguments (stricter than Slack where it is in
 * doubt), threads, message metadata, files, 429 with Retry-After. Source: docs.slack.dev/reference/methods.
 */
export async function startSlackServer(options: SlackServerOptions = {}): Promise<SlackServer> {
  const token = options.token ?? 'xoxb-stand-in';
  const workspace = createWorkspace({ team: options.team });
  const limits = createRateLimits(options.limits);
  const journal = options.journal ? openJournal(options.journal) : undefined;
  const remember = options.remember ?? 20_000;
  const calls: ApiCall[] = [];
  const waiting = new Set<() => void>();
  const writers: ((message: StoredMessage, kind: 'posted' | 'edited') => void)[] = [];
  const held = new Map<string, Promise<void>>();
  const lateness = new Map<string, number>();
  const hangUps = new Map<string, number>();
  const failures: { method: string; error: string }[] = [];
  let uploadFailures = 0;

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(incoming.url ?? '/', 'http://127.0.0.1').pathname;
    const bytes = await readBody(incoming);
    if (path.startsWith('/upload/')) return takeUpload(path, incoming, bytes, response);
    const body = bytes.toString('utf8');
    if (path.startsWith('/control/')) return control(path, body, response);
    const method = /^\/api\/([\w.]+)$/.exec(path)?.[1];
    if (!method) return void response.writeHead(404).end();
    const call: ApiCall = { at: Date.now(), method, args: {} };
    calls.push(call);
    if (calls.length > remember) calls.shift();
    const send = (status: number, result: Record<string, unknown>, headers: Record<string, string> = {}) => {
      call.status = status;
      if (result.ok === false) call.error = String(result.error);
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
      response.end(JSON.stringify(result));
    };
    try {
      if (incoming.method !== 'POST') throw new SlackApiError('invalid_post_type');
      call.args = readArguments(incoming.headers['content-type'], body);
      await held.get(method);
      checkToken(incoming, call.args, token);
      const channel = typeof call.args.channel === 'string' ? call.args.channel : undefined;
      const retryAfter = limits.refuse(method, channel);
      if (retryAfter !== undefined)
        return send(429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(retryAfter) });
      const result = run(method, call.args);
      const left = hangUps.get(method) ?? 0;
      if (left > 0) {
        hangUps.set(method, left - 1);
        return void response.destroy();
      }
      const late = lateness.get(method);
      if (late) await sleep(late);
      send(200, { ok: true, ...result });
    } catch (error) {
      if (!(error instanceof SlackApiError)) throw error;
      send(200, { ok: false, error: error.code, ...error.details });
    }
  }

  function run(method: string, args: Arguments): Record<string, unknown> {
    const does = methods[method];
    if (!does) throw new SlackApiError('unknown_method', { req_method: method });
    const failing = failures.findIndex((failure) => failure.method === method);
    if (failing >= 0) throw new SlackApiError(failures.splice(failing, 1)[0]?.error ?? 'fatal_error');
    if (options.anyChannel && typeof args.channel === 'string') workspace.addChannel(args.channel);
    if (options.anyChannel && typeof args.thread_ts === 'string') adopt(String(args.channel), args.thread_ts);
    if (options.anyChannel && method === 'users.info') workspace.addUser(String(args.user));
    const result = does(workspace, args, { origin: `http://127.0.0.1:${server.port}` });
    if (method === 'chat.postMessage' || method === 'chat.update' || method === 'chat.delete') written(method, result);
    if (method === 'files.completeUploadExternal') for (const look of [...waiting]) look();
    return result;
  }

  /** The second step of an upload: whoever has the address may send the bytes, and the app's token has no business there. */
  function takeUpload(path: string, incoming: IncomingMessage, bytes: Buffer, response: ServerResponse): void {
    if (uploadFailures > 0) uploadFailures -= 1;
    else if (incoming.method === 'POST' && !incoming.headers.authorization && workspace.files.take(path, bytes))
      return void response.writeHead(200).end(`OK - ${bytes.length}`);
    response.writeHead(500).end('upload failed');
  }

  /** Where events come from another process, the messages that they tell of are known to it alone. */
  function adopt(channel: string, threadTs: string): void {
    if (!workspace.find(channel, threadTs)) workspace.store({ channel, user: 'U0ELSEWHERE', text: '' }, threadTs);
  }

  function written(method: 'chat.postMessage' | 'chat.update' | 'chat.delete', result: Record<string, unknown>): void {
    const message = workspace.find(String(result.channel), String(result.ts));
    if (!message) return;
    const delivery = message.metadata?.event_payload.delivery;
    journal?.append({
      at: Date.now(),
      method,
      channel: message.channel,
      ts: message.ts,
      ...(message.threadTs ? { threadTs: message.threadTs } : {}),
      text: message.text,
      ...(typeof delivery === 'string' ? { delivery } : {}),
    });
    for (const look of [...waiting]) look();
    if (method !== 'chat.delete')
      for (const writer of writers) writer(message, method === 'chat.update' ? 'edited' : 'posted');
  }

  function control(path: string, body: string, response: ServerResponse): void {
    if (path === '/control/storm') limits.storm(JSON.parse(body) as Storm);
    else if (path === '/control/channels') for (const id of JSON.parse(body) as string[]) workspace.addChannel(id);
    else if (path !== '/control/state') return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ messages: workspace.byApp().length, refusals: limits.refusals(), early: limits.early() }),
    );
  }

  const server = await listenOnLoopback((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  }, options.port);
  const apiUrl = `http://127.0.0.1:${server.port}/api/`;

  return {
    apiUrl,
    url: apiUrl,
    port: server.port,
    token,
    workspace,
    limits,
    calls: () => calls,
    replies: (channel, threadTs) =>
      workspace
        .messagesIn(channel)
        .filter((message) => message.botId && !message.deleted && message.threadTs === threadTs),
    waitFor: (predicate, ms) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = workspace.byApp().find(predicate);
          if (found) settle(() => resolve(found));
        };
        const timer = setTimeout(() => settle(() => reject(new Error(notFound(ms, workspace)))), ms);
        const settle = (end: () => void) => {
          clearTimeout(timer);
          waiting.delete(look);
          end();
        };
        waiting.add(look);
        look();
      }),
    hold(method) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(method, promise);
      return resolve;
    },
    answerLate: (method, ms) => void (ms > 0 ? lateness.set(method, ms) : lateness.delete(method)),
    hangUpAfter: (method, n) => void hangUps.set(method, n),
    failNext(method, error, n = 1) {
      for (let i = 0; i < n; i += 1) failures.push({ method, error });
    },
    failUploads(n) {
      uploadFailures = n;
    },
    onWrite: (listener) => void writers.push(listener),
    pause: server.pause,
    resume: server.resume,
    close: async () => {
      await server.close();
      journal?.close();
    },
  };
}

function checkToken(incoming: IncomingMessage, args: Arguments, token: string): void {
  const given = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1] ?? args.token;
  if (given === undefined || given === '') throw new SlackApiError('not_authed');
  if (given !== token) throw new SlackApiError('invalid_auth');
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function notFound(ms: number, workspace: SlackWorkspace): string {
  const last = workspace
    .byApp()
    .slice(-10)
    .map((message) => `${message.channel}/${message.threadTs ?? ''} ${JSON.stringify(message.text.slice(0, 80))}`);
  return `no such message within ${ms} ms; ${workspace.byApp().length} came, the last: ${last.join('; ') || 'none'}`;
}

if (import.meta.main) {
  await runProgram(async () => {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        token: { type: 'string' },
        team: { type: 'string' },
        journal: { type: 'string' },
        limits: { type: 'string', default: 'none' },
      },
    });
    if (!['none', 'slack'].includes(values.limits)) throw new Error('--limits is none or slack');
    return startSlackServer({
      port: Number(values.port),
      anyChannel: true,
      ...(values.token ? { token: values.token } : {}),
      ...(values.team ? { team: values.team } : {}),
      ...(values.journal ? { journal: values.journal } : {}),
      ...(values.limits === 'slack' ? { limits: slackLimits } : {}),
    });
  });
}

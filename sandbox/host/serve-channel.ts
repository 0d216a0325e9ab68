import { type RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Desktop } from '../desktop/desktop.ts';
import { type Answer, answerRequest, type Refusal, refusalOf } from './answer-request.ts';
import type { HostLog } from './host-log.ts';
import { type ChannelReply, type ChannelRequest, channelRequest, fileAtMost, sentenceAtMost } from './messages.ts';

/** A core process that waits for a Desktop's channel. */
export interface ChannelOptions {
  url: URL;
  /** Good once. */
  ticket: string;
  /** The Desktop at the moment of a request; undefined: it does not run. */
  find(): Promise<Desktop | undefined>;
  log: HostLog;
}

/** A channel that is being served. */
export interface Channel {
  close(): void;
  readonly closed: Promise<void>;
}

/** A file that is written; every other message is smaller. */
const largestMessage = fileAtMost;

/** Requests under way at once on one channel; more wait in the connection. */
const atOnce = 16;

const handshakeMs = 5000;
const anyRequest = z.object({ id: z.number().int() });

type Awaited = Extract<ChannelRequest, { method: 'write_file' }>;

/**
 * Dials a core process and does what it asks of one Desktop: stills, the agent's input, commands and files (messages.ts). What is under
 * way when the connection ends is aborted, because nobody waits for it.
 */
export function serveChannel({ url, ticket, find, log }: ChannelOptions): Channel {
  const gone = new AbortController();
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${ticket}` },
    handshakeTimeout: handshakeMs,
    maxPayload: largestMessage,
    perMessageDeflate: false,
  });
  let underWay = 0;
  let awaited: Awaited | undefined;

  function reply(message: ChannelReply, data?: Buffer): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify(message));
    if (data && data.byteLength > 0) socket.send(data);
  }

  async function handle(request: ChannelRequest, content?: Buffer): Promise<void> {
    underWay += 1;
    if (underWay === atOnce) socket.pause();
    try {
      const answer = await whatCameOf(request, content);
      if ('code' in answer)
        reply({ id: request.id, error: { ...answer, message: answer.message.slice(0, sentenceAtMost) } });
      else reply({ id: request.id, result: answer.result, bytes: answer.data?.byteLength ?? 0 }, answer.data);
    } finally {
      if (underWay === atOnce) socket.resume();
      underWay -= 1;
    }
  }

  async function whatCameOf(request: ChannelRequest, content?: Buffer): Promise<Answer | Refusal> {
    const desktop = await find();
    if (!desktop) return { code: 'not_running', message: 'this Desktop does not run on its host now: start it again' };
    try {
      return await answerRequest(desktop, request, content, gone.signal);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal) return refusal;
      if (!gone.signal.aborted) log.error({ err: error, method: request.method }, 'a request to a Desktop failed');
      return { code: 'failed', message: `${request.method} failed on the host: its log says why` };
    }
  }

  socket.on('message', (data, isBinary) => {
    if (awaited) {
      const request = awaited;
      awaited = undefined;
      const content = isBinary ? bytesOf(data) : undefined;
      if (content?.byteLength !== request.bytes)
        return socket.close(1002, 'a file of the announced size was to follow');
      void handle(request, content);
      return;
    }
    if (isBinary) return socket.close(1002, 'a file that was not announced');
    const request = readRequest(data);
    if ('problem' in request) {
      if (request.id === undefined) return socket.close(1002, request.problem);
      reply({ id: request.id, error: { code: 'refused', message: request.problem } });
      return;
    }
    if (request.method === 'write_file' && request.bytes > 0) awaited = request;
    else void handle(request);
  });
  socket.on('error', (error) => log.warn({ why: error.message }, 'a channel to a core process broke'));
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      gone.abort();
      resolve();
    });
  });
  return { close: () => socket.close(1001), closed };
}

function readRequest(data: RawData): ChannelRequest | { problem: string; id?: number } {
  let json: unknown;
  try {
    json = JSON.parse(String(data));
  } catch {
    return { problem: 'a message is not JSON' };
  }
  const request = channelRequest.safeParse(json);
  if (request.success) return request.data;
  const issue = request.error.issues[0];
  const problem = `${issue?.path.join('.') || 'the request'}: ${issue?.message}`;
  return { problem, id: anyRequest.safeParse(json).data?.id };
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

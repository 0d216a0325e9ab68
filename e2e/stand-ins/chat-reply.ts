import { randomBytes } from 'node:crypto';
import type { ParsedChatRequest } from './chat-request.ts';

/** What a script lets the model do with one request. Times in milliseconds. */
export type Reply = {
  text?: string;
  /** `arguments` as a string is sent as it is, well formed or not. */
  toolCalls?: { name: string; arguments: Record<string, unknown> | string }[];
  /** Pieces that `text` is streamed in; default one for each word or so, at most 20. */
  chunks?: number;
  /** Wait before the first byte of the answer. */
  delayMs?: number;
  /** Wait between two chunks of a stream. */
  chunkMs?: number;
  /** An HTTP status other than 200: no answer but an error in OpenAI's shape. */
  status?: number;
  /** Sent as `Retry-After` with `status`; default 1 for a 429, none else. */
  retryAfterSeconds?: number;
  /** After so many chunks of text or tool call nothing more is sent, and the connection stays open. */
  hangAfterChunks?: number;
};

/** The whole answer of a request without `stream`: a `chat.completion` object. */
export function completionOf(request: ParsedChatRequest, reply: Reply): Record<string, unknown> {
  const toolCalls = toolCallsOf(reply);
  const message = {
    role: 'assistant',
    content: reply.text ?? (toolCalls.length > 0 ? null : ''),
    refusal: null,
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
  };
  return {
    ...envelope('chat.completion', request),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasonOf(reply) }],
    usage: usageOf(request, reply),
  };
}

/**
 * The `chat.completion.chunk`s of a streamed answer in OpenAI's order: the role, the text in pieces, each tool call (id and
 * name first, its arguments cut in several), the finish reason, and with `include_usage` one last chunk without choices.
 */
export function chunksOf(request: ParsedChatRequest, reply: Reply): Record<string, unknown>[] {
  const includeUsage = request.stream_options?.include_usage === true;
  const head = { ...envelope('chat.completion.chunk', request), ...(includeUsage ? { usage: null } : {}) };
  const chunk = (delta: Record<string, unknown>, finishReason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  });
  const toolCalls = toolCallsOf(reply);
  const chunks: Record<string, unknown>[] = [
    chunk({ role: 'assistant', content: toolCalls.length > 0 ? null : '', refusal: null }),
    ...piecesOf(reply.text ?? '', reply.chunks).map((piece) => chunk({ content: piece })),
  ];
  for (const [index, { id, type, function: called }] of toolCalls.entries()) {
    chunks.push(chunk({ tool_calls: [{ index, id, type, function: { name: called.name, arguments: '' } }] }));
    for (const piece of piecesOf(called.arguments, 4)) {
      chunks.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
    }
  }
  chunks.push(chunk({}, finishReasonOf(reply)));
  if (includeUsage) chunks.push({ ...head, choices: [], usage: usageOf(request, reply) });
  return chunks;
}

/** Cuts a text in `count` pieces of about one length, never inside a character. */
function piecesOf(text: string, count?: number): string[] {
  const characters = [...text];
  const wanted = count ?? Math.min(20, text.split(/\s+/).length);
  const size = Math.max(1, Math.ceil(characters.length / Math.max(1, wanted)));
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += size) pieces.push(characters.slice(at, at + size).join(''));
  return pieces;
}

function envelope(object: string, request: ParsedChatRequest): Record<string, unknown> {
  return {
    id: `chatcmpl-${randomBytes(12).toString('base64url')}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    service_tier: 'default',
    system_fingerprint: 'fp_scripted',
  };
}

function toolCallsOf(reply: Reply): { id: string; type: 'function'; function: { name: string; arguments: string } }[] {
  return (reply.toolCalls ?? []).map((call) => ({
    id: `call_${randomBytes(12).toString('base64url')}`,
    type: 'function',
    function: {
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
    },
  }));
}

function finishReasonOf(reply: Reply): string {
  return reply.toolCalls && reply.toolCalls.length > 0 ? 'tool_calls' : 'stop';
}

/** Tokens are counted as four characters each: the figures are made up, but they grow with what is sent. */
function usageOf(request: ParsedChatRequest, reply: Reply): Record<string, unknown> {
  const prompt = Math.ceil(JSON.stringify([request.messages, request.tools ?? []]).length / 4);
  const completion = Math.ceil(`${reply.text ?? ''}${JSON.stringify(reply.toolCalls ?? '')}`.length / 4);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

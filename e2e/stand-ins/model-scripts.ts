import type { Reply } from './chat-reply.ts';
import type { ChatMessage, ParsedChatRequest } from './chat-request.ts';

/** Decides what the model does with a request; `undefined` means that this script does not apply to it. */
export type Script = (request: ParsedChatRequest) => Reply | undefined | Promise<Reply | undefined>;

/** Lines of a role's text that {@link echoByRole} obeys. */
export const ECHO_ROLE = 'Reply with "echo: " and the last message.';
export const LOUD_ROLE = 'Reply with "loud: " and the last message in capitals.';

/** Does what the role in the system text says: `echo: hello` or `loud: HELLO`. Applies to requests with such a role. */
export const echoByRole: Script = (request) => {
  const role = systemText(request);
  const message = lastMessage(request);
  if (role.includes(LOUD_ROLE)) return { text: `loud: ${message.toUpperCase()}` };
  if (role.includes(ECHO_ROLE)) return { text: `echo: ${message}` };
  return undefined;
};

/**
 * Calls a tool when asked to: a last message with `call <tool> {json}` becomes that call (offered or not, as a model that
 * makes names up would), and once its result is there, `tool said: ` with the first 500 characters of it.
 */
export const callToolThenAnswer: Script = (request) => {
  const asked = lastMessage(request).match(/\bcall ([\w.-]+) (\{.*)/s);
  const [, name, rest] = asked ?? [];
  const json = rest === undefined ? undefined : leadingJson(rest);
  if (name === undefined || json === undefined) return undefined;
  const results = toolResults(request);
  if (results.length === 0) return { toolCalls: [{ name, arguments: json }] };
  return { text: `tool said: ${results.join('\n').slice(0, 500)}` };
};

/** Answers everything with one text. */
export function alwaysAnswer(text: string): Script {
  return () => ({ text });
}

/** Answers everything with one text in `chunks` pieces, `chunkMs` milliseconds apart. */
export function slow(text: string, pace: { chunks: number; chunkMs: number }): Script {
  return () => ({ text, ...pace });
}

/** Fails the first `times` requests with an HTTP status (a 429 with `Retry-After: 1` unless told), then does as `then`. */
export function failing(status: number, times: number, then: Script, retryAfterSeconds?: number): Script {
  let left = times;
  return (request) => {
    if (left <= 0) return then(request);
    left -= 1;
    const reply: Reply = { status, retryAfterSeconds };
    return reply;
  };
}

/** Answers by the first script that applies. */
export function combine(...scripts: Script[]): Script {
  return async (request) => {
    for (const script of scripts) {
      const reply = await script(request);
      if (reply) return reply;
    }
    return undefined;
  };
}

/** How the scripts that take something are set from the command line. */
export type ScriptSettings = { text?: string; chunks?: number; chunkMs?: number };

/**
 * A script by the name a command line gives it. `everything` calls tools, obeys echo roles and otherwise answers the text
 * (default "All right."). Throws an Error that lists the names when there is no such script.
 */
export function scriptNamed(name: string, settings: ScriptSettings = {}): Script {
  const text = settings.text ?? 'All right.';
  const scripts: Record<string, () => Script> = {
    everything: () => combine(callToolThenAnswer, echoByRole, alwaysAnswer(text)),
    echoByRole: () => echoByRole,
    callToolThenAnswer: () => callToolThenAnswer,
    alwaysAnswer: () => alwaysAnswer(text),
    slow: () => slow(text, { chunks: settings.chunks ?? 20, chunkMs: settings.chunkMs ?? 100 }),
  };
  const make = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
  if (!make) throw new Error(`unknown script "${name}" (valid: ${Object.keys(scripts).join(', ')})`);
  return make();
}

/** The whole system text of a request. */
export function systemText(request: ParsedChatRequest): string {
  return request.messages
    .filter((message) => message.role === 'system' || message.role === 'developer')
    .map(textOf)
    .join('\n');
}

/**
 * What a person said last: the body of the last `<message …>` block in the last user message, or all of that message when
 * it has no such block; empty when nobody said anything.
 */
export function lastMessage(request: ParsedChatRequest): string {
  const text = textOf(request.messages.findLast((message) => message.role === 'user'));
  const blocks = [...text.matchAll(/<message(?:\s(?:[^>"]|"[^"]*")*)?>(.*?)<\/message>/gs)];
  return (blocks.at(-1)?.[1] ?? text).trim();
}

/** The tool results since the last user message, oldest first. */
export function toolResults(request: ParsedChatRequest): string[] {
  const said = request.messages.findLastIndex((message) => message.role === 'user');
  return request.messages
    .slice(said + 1)
    .filter((message) => message.role === 'tool')
    .map(textOf);
}

function textOf(message: ChatMessage | undefined): string {
  const content = message?.content;
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

/** The JSON object that a text begins with, whatever follows it. */
function leadingJson(text: string): Record<string, unknown> | undefined {
  for (let end = text.lastIndexOf('}'); end > 0; end = text.lastIndexOf('}', end - 1)) {
    try {
      return JSON.parse(text.slice(0, end + 1)) as Record<string, unknown>;
    } catch {
      // A brace further left may close it.
    }
  }
  return undefined;
}

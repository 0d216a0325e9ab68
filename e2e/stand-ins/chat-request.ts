import { z } from 'zod';
import { describeIssues } from './describe-issues.ts';
import { findToolSchemaProblem } from './tool-schema.ts';

const TextPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const ImagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({ url: z.string(), detail: z.enum(['auto', 'low', 'high']).optional() }),
});
const FilePart = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({
    file_id: z.string().optional(),
    file_data: z.string().optional(),
    filename: z.string().optional(),
  }),
});
const Text = z.union([z.string(), z.array(TextPart).min(1)]);
const Name = z.string().min(1).optional();

/** One call as a model wrote it; `arguments` is JSON as text and may be malformed. */
const ToolCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
});

const Message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: Text, name: Name }),
  z.strictObject({ role: z.literal('developer'), content: Text, name: Name }),
  z.strictObject({
    role: z.literal('user'),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [TextPart, ImagePart, FilePart])).min(1)]),
    name: Name,
  }),
  z
    .strictObject({
      role: z.literal('assistant'),
      content: Text.nullish(),
      refusal: z.string().nullish(),
      name: Name,
      tool_calls: z.array(ToolCall).min(1).optional(),
    })
    .refine((message) => typeof message.content === 'string' || message.content || message.tool_calls, {
      error: 'content is required unless tool_calls is given',
      path: ['content'],
    }),
  z.strictObject({ role: z.literal('tool'), content: Text, tool_call_id: z.string().min(1) }),
]);

const Tool = z.strictObject({
  type: z.literal('function'),
  function: z
    .strictObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      description: z.string().max(1024).optional(),
      parameters: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
    })
    .superRefine((tool, context) => {
      if (!tool.parameters) return;
      const problem = findToolSchemaProblem(tool.parameters);
      if (!problem) return;
      const message = `Invalid schema for function '${tool.name}': ${problem}`;
      context.addIssue({ code: 'custom', message, path: ['parameters'] });
    }),
});

const ToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) }),
]);

/**
 * The body of `POST /v1/chat/completions`, every field that this project could send and no other: an unknown one is
 * refused as OpenAI does ("Unrecognized request argument supplied"). Source: OpenAI's API reference, "Create chat
 * completion".
 */
const ChatRequest = z
  .strictObject({
    model: z.string().min(1),
    messages: z.array(Message).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.strictObject({ include_usage: z.boolean().optional() }).nullish(),
    tools: z.array(Tool).min(1).max(128).optional(),
    tool_choice: ToolChoice.optional(),
    parallel_tool_calls: z.boolean().optional(),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    response_format: z.looseObject({ type: z.enum(['text', 'json_object', 'json_schema']) }).optional(),
    stop: z.union([z.string(), z.array(z.string()).min(1).max(4)]).nullish(),
    seed: z.int().nullish(),
    user: z.string().optional(),
    reasoning_effort: z.string().nullish(),
    verbosity: z.string().nullish(),
  })
  .superRefine((request, context) => {
    if (request.stream_options && !request.stream) {
      const message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
      context.addIssue({ code: 'custom', message, path: ['stream_options'] });
    }
    if (request.tool_choice !== undefined && request.tool_choice !== 'none' && !request.tools) {
      const message = "'tool_choice' is only allowed when 'tools' are specified.";
      context.addIssue({ code: 'custom', message, path: ['tool_choice'] });
    }
  });

/** A request that passed every check; what a script decides on. */
export type ParsedChatRequest = z.infer<typeof ChatRequest>;

/** One message of a request. */
export type ChatMessage = ParsedChatRequest['messages'][number];

/** A refusal in OpenAI's error shape, with the HTTP status that carries it. */
export type ChatRefusal = {
  status: number;
  error: { message: string; type: string; param: string | null; code: string | null };
};

/**
 * Checks a request as OpenAI would: fields, roles, tools, that each tool message answers a call before it and that every
 * call is answered before anybody else speaks. A model that is not in `models` is a 404 `model_not_found`, the rest a 400.
 */
export function parseChatRequest(body: unknown, models: readonly string[]): ParsedChatRequest | ChatRefusal {
  const parsed = ChatRequest.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return invalid(describeIssues(parsed.error), issue ? paramOf(issue.path) : null);
  }
  const request = parsed.data;
  if (!models.includes(request.model)) {
    const message = `The model \`${request.model}\` does not exist or you do not have access to it.`;
    return { status: 404, error: { message, type: 'invalid_request_error', param: null, code: 'model_not_found' } };
  }
  return findUnansweredCall(request.messages) ?? request;
}

/** True for what {@link parseChatRequest} refused. */
export function isRefusal(result: ParsedChatRequest | ChatRefusal): result is ChatRefusal {
  return 'error' in result;
}

function findUnansweredCall(messages: readonly ChatMessage[]): ChatRefusal | undefined {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (open.delete(message.tool_call_id)) continue;
      const what = `messages with role 'tool' must be a response to a preceding message with 'tool_calls'`;
      return invalid(`Invalid parameter: ${what} (${message.tool_call_id}).`, `messages.[${index}].role`);
    }
    if (open.size > 0) return unanswered(open, index);
    const ids = message.role === 'assistant' ? (message.tool_calls ?? []).map((call) => call.id) : [];
    open = new Set(ids);
    if (open.size < ids.length) {
      return invalid(`Duplicate tool call id in ${ids.join(', ')}.`, `messages.[${index}].tool_calls`);
    }
  }
  return open.size > 0 ? unanswered(open, messages.length - 1) : undefined;
}

function unanswered(ids: ReadonlySet<string>, index: number): ChatRefusal {
  const rule = `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.`;
  const which = `The following tool_call_ids did not have response messages: ${[...ids].join(', ')}`;
  return invalid(`${rule} ${which}`, `messages.[${index}].role`);
}

function invalid(message: string, param: string | null): ChatRefusal {
  return { status: 400, error: { message, type: 'invalid_request_error', param, code: null } };
}

function paramOf(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null;
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : String(step))).join('.');
}

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, isStepCount, streamText, tool } from 'ai';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { alwaysAnswer, callToolThenAnswer, combine, failing, type Script, slow } from './model-scripts.ts';
import { type ModelServer, type ModelServerOptions, startModelServer } from './model-server.ts';

const servers: ModelServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(script: Script, options: Partial<ModelServerOptions> = {}): Promise<ModelServer> {
  const server = await startModelServer({ script, ...options });
  servers.push(server);
  return server;
}

function modelOf(server: ModelServer, apiKey?: string) {
  const provider = createOpenAICompatible({ name: 'scripted', baseURL: server.url, apiKey, includeUsage: true });
  return provider.chatModel('scripted');
}

async function post(server: ModelServer, body: unknown): Promise<{ status: number; error: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, error: answer.error };
}

it('streams a text in pieces to the ai package, with usage', async () => {
  const server = await serve(slow('One two three four, fünf 🌍.', { chunks: 5, chunkMs: 5 }));
  const result = streamText({ model: modelOf(server), prompt: 'count', maxRetries: 0 });
  const pieces: string[] = [];
  for await (const piece of result.textStream) pieces.push(piece);
  expect(pieces).toHaveLength(5);
  expect(pieces.join('')).toBe('One two three four, fünf 🌍.');
  expect(await result.finishReason).toBe('stop');
  const usage = await result.usage;
  expect(usage.inputTokens).toBeGreaterThan(0);
  expect(usage.totalTokens).toBe((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0));
});

it('takes a tool call there and back', async () => {
  const server = await serve(callToolThenAnswer);
  const result = streamText({
    model: modelOf(server),
    prompt: 'please call add {"a":2,"note":"} {"} now',
    tools: {
      add: tool({
        description: 'Adds one.',
        inputSchema: z.object({ a: z.number(), note: z.string() }),
        execute: async ({ a, note }) => `${a + 1} ${note}`,
      }),
    },
    stopWhen: isStepCount(3),
    maxRetries: 0,
  });
  expect(await result.text).toBe('tool said: 3 } {');
  const steps = await result.steps;
  expect(steps.map((step) => step.finishReason)).toEqual(['tool-calls', 'stop']);
  expect(server.chats()).toHaveLength(2);
  expect(server.chats()[1]?.messages.at(-1)).toMatchObject({ role: 'tool', content: '3 } {' });
});

it('answers without streaming too', async () => {
  const server = await serve(combine(callToolThenAnswer, alwaysAnswer('Good day.')));
  const result = await generateText({ model: modelOf(server), prompt: 'hello', maxRetries: 0 });
  expect(result.text).toBe('Good day.');
  expect(result.usage.outputTokens).toBeGreaterThan(0);
});

it('puts usage in a last chunk without choices and ends with [DONE]', async () => {
  const server = await serve(alwaysAnswer('Good day.'));
  const response = await fetch(`${server.url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'scripted',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'hello' }],
    }),
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const events = (await response.text()).split('\n\n').map((event) => event.replace(/^data: /, ''));
  expect(events.splice(-2)).toEqual(['[DONE]', '']);
  const chunks = events.map((event) => JSON.parse(event) as Record<string, never>);
  expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
  expect(chunks[0]).toMatchObject({
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { role: 'assistant' } }],
  });
  expect(chunks.at(-2)).toMatchObject({ usage: null, choices: [{ delta: {}, finish_reason: 'stop' }] });
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } });
});

it('answers 429 with Retry-After as often as the script says, then answers', async () => {
  const server = await serve(failing(429, 1, alwaysAnswer('Now.'), 7));
  const failure = await generateText({ model: modelOf(server), prompt: 'hello', maxRetries: 0 }).catch(
    (error) => error,
  );
  expect(failure).toBeInstanceOf(APICallError);
  expect(failure).toMatchObject({ statusCode: 429, isRetryable: true, responseHeaders: { 'retry-after': '7' } });
  const answer = await generateText({ model: modelOf(server), prompt: 'hello', maxRetries: 0 });
  expect(answer.text).toBe('Now.');
});

it('lets nobody in without the key', async () => {
  const server = await serve(alwaysAnswer('In.'), { key: 'sesame' });
  const list = (headers: Record<string, string>) => fetch(`${server.url}/models`, { headers });
  expect((await list({})).status).toBe(401);
  expect((await list({ authorization: 'Bearer wrong' })).status).toBe(401);
  expect((await list({ authorization: 'Bearer sesame' })).status).toBe(200);
  const answer = await generateText({ model: modelOf(server, 'sesame'), prompt: 'hello', maxRetries: 0 });
  expect(answer.text).toBe('In.');
});

it('lists its models, or has no list, or refuses to list', async () => {
  const listed = await serve(alwaysAnswer('x'), { models: ['a', 'b'] });
  const list = (await (await fetch(`${listed.url}/models`)).json()) as { data: { id: string }[] };
  expect(list.data.map((model) => model.id)).toEqual(['a', 'b']);
  const missing = await serve(alwaysAnswer('x'), { modelList: 'missing' });
  expect((await fetch(`${missing.url}/models`)).status).toBe(404);
  const refused = await serve(alwaysAnswer('x'), { modelList: 'refused' });
  expect((await fetch(`${refused.url}/models`)).status).toBe(401);
});

it('sends nothing more after the chunks it was told, and notices when the client leaves', async () => {
  const server = await serve(() => ({ text: 'one two three', chunks: 3, hangAfterChunks: 2 }));
  const leave = new AbortController();
  const result = streamText({ model: modelOf(server), prompt: 'x', maxRetries: 0, abortSignal: leave.signal });
  const pieces: string[] = [];
  for await (const piece of result.textStream) {
    pieces.push(piece);
    if (pieces.length === 2) setTimeout(() => leave.abort(), 50);
  }
  expect(pieces).toHaveLength(2);
  await expect.poll(() => server.requests()[0]?.outcome).toBe('aborted');
});

it('goes away and comes back on the same port', async () => {
  const server = await serve(alwaysAnswer('Back.'));
  await server.pause();
  await expect(fetch(`${server.url}/models`)).rejects.toThrow('fetch failed');
  await server.resume();
  expect((await fetch(`${server.url}/models`)).status).toBe(200);
});

it('remembers the latest requests only as far as it was told', async () => {
  const server = await serve(alwaysAnswer('x'), { remember: 2 });
  for (const path of ['one', 'two', 'three']) await fetch(`${server.url}/${path}`);
  expect(server.requests().map((request) => request.path)).toEqual(['/v1/two', '/v1/three']);
});

it('says so when no script applies', async () => {
  const server = await serve(callToolThenAnswer);
  const { status, error } = await post(server, { model: 'scripted', messages: [{ role: 'user', content: 'hi' }] });
  expect(status).toBe(500);
  expect(error.message).toContain('No script');
});

const user = { role: 'user', content: 'hi' };
const calling = (...ids: string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'add', arguments: '{}' } })),
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: '3' });
const offering = (parameters: unknown, name = 'add') => ({
  messages: [user],
  tools: [{ type: 'function', function: { name, parameters } }],
});

it.each([
  ['a model it does not list', { model: 'gpt-9', messages: [user] }, 404, 'does not exist'],
  ['no messages', { messages: [] }, 400, 'messages'],
  ['a role that does not exist', { messages: [{ role: 'robot', content: 'hi' }] }, 400, 'role'],
  ['a field that does not exist', { messages: [user], streem: true }, 400, 'streem'],
  ['an assistant that says nothing', { messages: [user, { role: 'assistant' }] }, 400, 'content is required'],
  ['a result without its call', { messages: [user, result('c1')] }, 400, "'tool' must be a response"],
  ['a result given twice', { messages: [user, calling('c1'), result('c1'), result('c1')] }, 400, "'tool' must be"],
  ['a call not yet answered', { messages: [user, calling('c1', 'c2'), result('c1')] }, 400, 'response messages: c2'],
  ['a turn before all answers', { messages: [user, calling('c1'), user, result('c1')] }, 400, 'response messages: c1'],
  ['the same call id twice', { messages: [user, calling('c1', 'c1'), result('c1')] }, 400, 'Duplicate'],
  ['parameters that are no object', offering({ type: 'string' }), 400, 'type: "object"\''],
  [
    'a type that does not exist',
    offering({ type: 'object', properties: { a: { type: 'text' } } }),
    400,
    'properties.a.type',
  ],
  ['required that is no list', offering({ type: 'object', required: 'a' }), 400, "add': required"],
  ['a union at the top', offering({ type: 'object', oneOf: [{ required: ['a'] }] }), 400, "not have 'oneOf'"],
  ['an array of nothing', offering({ type: 'object', properties: { a: { type: 'array' } } }), 400, 'missing items'],
  ['a tool name with a dot', offering({ type: 'object' }, 'a.b'), 400, 'name'],
  ['usage without a stream', { messages: [user], stream_options: { include_usage: true } }, 400, 'stream_options'],
])('refuses %s', async (_what, body, status, message) => {
  const server = await serve(alwaysAnswer('x'));
  const answer = await post(server, { model: 'scripted', ...body });
  expect(answer.status).toBe(status);
  expect(answer.error).toMatchObject({ type: 'invalid_request_error', message: expect.stringContaining(message) });
  expect(server.chats()).toEqual([]);
});

it('accepts answers in another order than the calls', async () => {
  const server = await serve(alwaysAnswer('x'));
  const messages = [user, calling('c1', 'c2'), result('c2'), result('c1')];
  expect((await post(server, { model: 'scripted', messages })).status).toBe(200);
});

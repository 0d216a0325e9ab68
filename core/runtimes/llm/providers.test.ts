import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { OutsideUnavailable } from '../../dispatch/failure.ts';
import { recordedRun } from '../testing/recorded-run.ts';
import { createLlmRuntime } from './llm-runtime.ts';
import { modelEndpoint } from './model-endpoint.ts';

/** What a provider is asked, as far as these tests look at it. */
const Asked = z.object({
  model: z.string(),
  store: z.boolean().optional(),
  tools: z.array(z.looseObject({})).optional(),
});
type Sse = Record<string, unknown>[];

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that answers each POST with the next of `answers`, as server-sent events, and then closes or is cut. */
async function streaming(answers: Sse[]) {
  const asked: z.infer<typeof Asked>[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    headers.push(request.headers);
    asked.push(Asked.parse(await json(request)));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of answers[asked.length - 1] ?? []) {
      if (typeof event.type === 'string') response.write(`event: ${event.type}\n`);
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked, headers };
}

async function runtimeOf(MODEL: string, url: string) {
  const endpoint = modelEndpoint({
    MODEL,
    ANTHROPIC_API_KEY: 'sk-a',
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: 'sk-o',
    OPENAI_BASE_URL: url,
  });
  return await createLlmRuntime({ endpoint, stepLimit: 5, deadlineMs: 10_000 });
}

const anthropicStart = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-x',
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 },
  },
};
const anthropicEnd = (stop_reason: string) => [
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
];
const anthropicText = (text: string) => [
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
];

test('Anthropic: a tool there and back, with usage', async () => {
  const { url, asked, headers } = await streaming([
    [
      anthropicStart,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'add', input: {} },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":2}' } },
      ...anthropicEnd('tool_use'),
    ],
    [anthropicStart, ...anthropicText('It is 3.'), ...anthropicEnd('end_turn')],
  ]);
  const runtime = await runtimeOf('anthropic/claude-x', url);
  const run = recordedRun({ tools: { add: ({ a }) => String(Number(a) + 1) } });
  expect(await runtime.run(run)).toEqual({ text: 'It is 3.' });
  expect(run.recorded).toMatchObject([
    { kind: 'tool_call', tool: 'add', input: { a: 2 } },
    { kind: 'tool_result', output: '3' },
    { kind: 'text', final: true },
  ]);
  expect(run.usages[2]).toEqual({ inputTokens: 9, outputTokens: 5 });
  expect(asked[0]?.model).toBe('claude-x');
  expect(headers[0]?.['x-api-key']).toBe('sk-a');
});

test('Anthropic: an overload that is told inside the stream is a wait, and nothing is stored', async () => {
  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  for (const events of [[overloaded], [anthropicStart, ...anthropicText('It is'), overloaded]]) {
    const { url } = await streaming([events]);
    const run = recordedRun();
    const runtime = await runtimeOf('anthropic/claude-x', url);
    await expect(runtime.run(run)).rejects.toBeInstanceOf(OutsideUnavailable);
    expect(run.recorded).toEqual([]);
  }
});

test('Anthropic: an answer that breaks off is a failed attempt, not a reply', async () => {
  const { url } = await streaming([[anthropicStart, ...anthropicText('It is')]]);
  const run = recordedRun();
  await expect((await runtimeOf('anthropic/claude-x', url)).run(run)).rejects.toThrow(
    'the model ended without an answer',
  );
  expect(run.recorded).toEqual([]);
});

const chatChunk = (delta: Record<string, unknown>, finish_reason: string | null = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason }],
});

test('chat completions: an answer that breaks off and an error inside the stream are failed attempts', async () => {
  const text = chatChunk({ role: 'assistant', content: 'It is' });
  const error = { error: { message: 'out of memory', type: 'server_error' } };
  for (const events of [[text], [text, error], []]) {
    const { url } = await streaming([events]);
    const run = recordedRun();
    await expect((await runtimeOf('openai-compatible/m', url)).run(run)).rejects.toThrow();
    expect(run.recorded).toEqual([]);
  }
});

test('chat completions: an answer cut at its longest says so', async () => {
  const { url } = await streaming([[chatChunk({ role: 'assistant', content: 'It is' }), chatChunk({}, 'length')]]);
  const run = recordedRun();
  const { text } = await (await runtimeOf('openai-compatible/m', url)).run(run);
  expect(text).toMatch(/^It is\n\n\(The model reached its longest answer here/);
});

test('OpenAI: the Responses API, asked not to keep what it is sent', async () => {
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: 'gpt-x',
    output: [],
    status: 'in_progress',
  };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' };
  const { url, asked, headers } = await streaming([
    [
      { type: 'response.created', sequence_number: 0, response },
      { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: { ...item, content: [] } },
      {
        type: 'response.output_text.delta',
        sequence_number: 2,
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: 'Hi.',
      },
      { type: 'response.output_item.done', sequence_number: 3, output_index: 0, item: { ...item, content: [] } },
      {
        type: 'response.completed',
        sequence_number: 4,
        response: { ...response, status: 'completed', usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11 } },
      },
    ],
  ]);
  const run = recordedRun({ tools: { add: () => '' } });
  expect(await (await runtimeOf('openai/gpt-x', url)).run(run)).toEqual({ text: 'Hi.' });
  expect(run.usages).toEqual([{ inputTokens: 9, outputTokens: 2 }]);
  expect(asked[0]).toMatchObject({
    model: 'gpt-x',
    store: false,
    tools: [{ type: 'function', name: 'add', strict: false }],
  });
  expect(headers[0]?.authorization).toBe('Bearer sk-o');
});

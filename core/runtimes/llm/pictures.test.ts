import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { ParsedChatRequest } from '../../../e2e/stand-ins/chat-request.ts';
import { alwaysAnswer, callToolThenAnswer, combine } from '../../../e2e/stand-ins/model-scripts.ts';
import { startModelServer } from '../../../e2e/stand-ins/model-server.ts';
import type { Step } from '../runtime.ts';
import { recordedRun } from '../testing/recorded-run.ts';
import { createLlmRuntime } from './llm-runtime.ts';
import { modelEndpoint } from './model-endpoint.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const picture = Buffer.from('a picture of the screen').toString('base64');
const look = { look: () => ({ text: '{"width":1280}', picture }) };

async function runtimeAt(MODEL: string, url: string) {
  const keys = { ANTHROPIC_API_KEY: 'sk-a', OPENAI_API_KEY: 'sk-o' };
  const endpoint = modelEndpoint({ MODEL, ...keys, ANTHROPIC_BASE_URL: url, OPENAI_BASE_URL: url });
  return await createLlmRuntime({ endpoint, stepLimit: 5, deadlineMs: 10_000 });
}

/** What a provider is sent of a run that goes on after the picture. */
async function askedOf(MODEL: string, steps: Step[]): Promise<string> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    text(request).then((body) => {
      bodies.push(body);
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"enough"}}');
    }, response.destroy);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const runtime = await runtimeAt(MODEL, `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  await expect(runtime.run(recordedRun({ tools: look, steps }))).rejects.toThrow();
  return bodies[0] ?? '';
}

describe('a picture that a tool gives', () => {
  it('is stored with the result, once, and shown to a model of chat completions beside it', async () => {
    const server = await startModelServer({ script: combine(callToolThenAnswer, alwaysAnswer('Seen.')) });
    closers.push(() => server.close());
    const runtime = await runtimeAt('openai-compatible/scripted', server.url);
    const run = recordedRun({ body: 'call look {}', tools: look });
    await runtime.run(run);
    expect(run.recorded[1]).toMatchObject({
      kind: 'tool_result',
      output: { text: '{"width":1280}', pictures: [{ data: picture, mediaType: 'image/jpeg' }] },
    });
    const messages: ParsedChatRequest['messages'] = server.chats()[1]?.messages ?? [];
    expect(messages.slice(-2)).toMatchObject([
      { role: 'tool', content: '{"width":1280}' },
      {
        role: 'user',
        content: [
          { type: 'text', text: '(The picture that look gave:)' },
          { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${picture}` } },
        ],
      },
    ]);
  });

  it.each([
    ['anthropic/claude', `"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"${picture}"}`],
    ['openai/gpt', `"type":"input_image","image_url":"data:image/jpeg;base64,${picture}"`],
    ['openai-compatible/any', `"type":"image_url","image_url":{"url":"data:image/jpeg;base64,${picture}"`],
  ])('is shown again by an attempt that goes on from stored steps: %s', async (model, shown) => {
    const steps: Step[] = [
      { kind: 'tool_call', id: 'c1', tool: 'look', input: {} },
      {
        kind: 'tool_result',
        id: 'c1',
        tool: 'look',
        output: { text: 'seen', pictures: [{ data: picture, mediaType: 'image/jpeg' }] },
        isError: false,
      },
    ];
    const asked = await askedOf(model, steps);
    expect(asked).toContain(shown);
    expect(asked.split(picture)).toHaveLength(2);
  });
});

describe('a tool that ends the activation', () => {
  it('is the last thing that happens, and nothing more is posted', async () => {
    const server = await startModelServer({ script: callToolThenAnswer });
    closers.push(() => server.close());
    const runtime = await runtimeAt('openai-compatible/scripted', server.url);
    const run = recordedRun({ body: 'call ask {}', tools: { ask: () => 'asked' }, ending: ['ask'] });
    expect(await runtime.run(run)).toEqual({ text: 'NO_REPLY' });
    expect(server.chats()).toHaveLength(1);
    expect(run.recorded.map(({ kind }) => kind)).toEqual(['tool_call', 'tool_result', 'text']);
    // After a crash before the end was stored.
    const again = recordedRun({ steps: run.recorded.slice(0, 2), ending: ['ask'] });
    expect(await runtime.run(again)).toEqual({ text: 'NO_REPLY' });
    expect(server.chats()).toHaveLength(1);
  });

  it('that fails ends nothing', async () => {
    const server = await startModelServer({ script: callToolThenAnswer });
    closers.push(() => server.close());
    const runtime = await runtimeAt('openai-compatible/scripted', server.url);
    const fails = () => {
      throw new Error('no desktop');
    };
    const run = recordedRun({ body: 'call ask {}', tools: { ask: fails }, ending: ['ask'] });
    expect((await runtime.run(run)).text).toContain('tool said');
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { ParsedChatRequest } from '../../../e2e/stand-ins/chat-request.ts';
import {
  alwaysAnswer,
  callToolThenAnswer,
  combine,
  failing,
  type Script,
  slow,
  toolResults,
} from '../../../e2e/stand-ins/model-scripts.ts';
import { type ModelServer, startModelServer } from '../../../e2e/stand-ins/model-server.ts';
import { OutsideUnavailable, PermanentFailure } from '../../dispatch/failure.ts';
import { secondsGiven } from '../../dispatch/testing/seconds-given.ts';
import type { Runtime, Step } from '../runtime.ts';
import { briefedEvent, briefing } from '../testing/briefing.ts';
import { recordedRun } from '../testing/recorded-run.ts';
import { createLlmRuntime, type LlmRuntimeOptions } from './llm-runtime.ts';
import { modelEndpoint } from './model-endpoint.ts';
import { resultAtMost } from './worker-tools.ts';

const servers: ModelServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(script: Script, key?: string): Promise<ModelServer> {
  const server = await startModelServer({ script, key });
  servers.push(server);
  return server;
}

function endpointOf(server: ModelServer, apiKey = 'sk-secret', model = 'scripted') {
  return modelEndpoint({
    MODEL: `openai-compatible/${model}`,
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: apiKey,
    ANTHROPIC_API_KEY: undefined,
    ANTHROPIC_BASE_URL: undefined,
  });
}

async function runtimeOn(script: Script, options: Partial<LlmRuntimeOptions> = {}) {
  const server = await serve(script);
  const runtime = await createLlmRuntime({
    endpoint: endpointOf(server),
    stepLimit: 5,
    deadlineMs: 10_000,
    ...options,
  });
  return { server, runtime };
}

const failureOf = (run: ReturnType<Runtime['run']>) =>
  run.then(
    (reply) => expect.fail(`it answered "${reply.text}"`),
    (error: unknown) => error,
  );

/** The script of a model that calls `add` twice at once and then says what came out. */
const twoCallsAtOnce: Script = (request) => {
  const results = toolResults(request);
  if (results.length > 0) return { text: `Sums: ${results.join(' and ')}` };
  return {
    text: 'Let me add.',
    toolCalls: [
      { name: 'add', arguments: { a: 1 } },
      { name: 'add', arguments: { a: 2 } },
    ],
  };
};

const rolesOf = (request?: ParsedChatRequest) => request?.messages.map((message) => message.role);

test('streams the reply as it grows, and stores it with its usage', async () => {
  const { runtime } = await runtimeOn(slow('One two three four.', { chunks: 4, chunkMs: 5 }));
  const run = recordedRun();
  expect(await runtime.run(run)).toEqual({ text: 'One two three four.' });
  expect(run.written).toHaveLength(4);
  expect(run.written.at(-1)).toBe('One two three four.');
  expect(run.written.every((text, index) => text.startsWith(run.written[index - 1] ?? ''))).toBe(true);
  expect(run.recorded).toEqual([{ kind: 'text', text: 'One two three four.', final: true }]);
  expect(run.usages[0]?.outputTokens).toBeGreaterThan(0);
  expect(run.usages[0]?.inputTokens).toBeGreaterThan(100);
});

test('gives the model the Role as system text and the message as a block', async () => {
  const { runtime, server } = await runtimeOn(alwaysAnswer('Hi.'));
  await runtime.run(recordedRun({ body: 'good morning' }));
  const [system, user] = server.chats()[0]?.messages ?? [];
  expect(system).toMatchObject({ role: 'system', content: expect.stringContaining('Help people.') });
  expect(user).toMatchObject({
    role: 'user',
    content: expect.stringMatching(/<message id="e-1".*>\ngood morning\n<\/message>/),
  });
});

test('calls a tool and answers with what it said, each step stored before the next', async () => {
  const { runtime, server } = await runtimeOn(callToolThenAnswer);
  const order: string[] = [];
  const run = recordedRun({
    body: 'call add {"a":2}',
    tools: {
      add: ({ a }) => {
        order.push('add ran');
        return String(Number(a) + 1);
      },
    },
    beforeRecord: async (step) => {
      await sleep(20);
      order.push(step.kind);
    },
  });
  expect(await runtime.run(run)).toEqual({ text: 'tool said: 3' });
  expect(order).toEqual(['tool_call', 'add ran', 'tool_result', 'text']);
  const [call, result] = run.recorded;
  expect(call).toMatchObject({ kind: 'tool_call', tool: 'add', input: { a: 2 } });
  expect(result).toMatchObject({ kind: 'tool_result', tool: 'add', output: '3', isError: false });
  expect(call?.kind === 'tool_call' && result?.kind === 'tool_result' && call.id === result.id).toBe(true);
  expect(run.usages.map(Boolean)).toEqual([true, false, true]);
  expect(server.chats()[0]?.tools).toHaveLength(1);
});

test('runs calls made at once one after the other, and shows the text of the step until the next says something', async () => {
  const { runtime } = await runtimeOn(twoCallsAtOnce);
  let running = 0;
  const run = recordedRun({
    tools: {
      add: async ({ a }) => {
        expect(++running).toBe(1);
        await sleep(20);
        running -= 1;
        return String(Number(a) + 10);
      },
    },
  });
  expect(await runtime.run(run)).toEqual({ text: 'Sums: 11 and 12' });
  expect(run.recorded.map((step) => step.kind)).toEqual([
    'text',
    'tool_call',
    'tool_call',
    'tool_result',
    'tool_result',
    'text',
  ]);
  const shown = run.written.indexOf('Let me add.');
  expect(shown).toBeGreaterThanOrEqual(0);
  expect(run.written[shown + 1]?.startsWith('Sum')).toBe(true);
});

test('after a crash between call and result, says that the outcome is unknown instead of calling again', async () => {
  const { runtime, server } = await runtimeOn(callToolThenAnswer);
  let ran = 0;
  const steps: Step[] = [
    { kind: 'text', text: 'I send it.' },
    { kind: 'tool_call', id: 'c1', tool: 'publish', input: { body: 'x' } },
  ];
  const run = recordedRun({ body: 'call publish {"body":"x"}', steps, tools: { publish: () => String(++ran) } });
  const { text } = await runtime.run(run);
  expect(ran).toBe(0);
  expect(text).toMatch(/^tool said: The outcome of this call is unknown/);
  expect(run.recorded[0]).toMatchObject({ kind: 'tool_result', id: 'c1', tool: 'publish', isError: true });
  expect(rolesOf(server.chats()[0])).toEqual(['system', 'user', 'assistant', 'tool']);
  expect(server.chats()).toHaveLength(1);
});

test('after a crash between call and result, calls an idempotent tool again', async () => {
  const { runtime } = await runtimeOn(callToolThenAnswer);
  const steps: Step[] = [{ kind: 'tool_call', id: 'c1', tool: 'look', input: { at: 'sky' } }];
  const run = recordedRun({
    body: 'call look {}',
    steps,
    tools: { look: ({ at }) => `blue ${String(at)}` },
    idempotent: ['look'],
  });
  expect(await runtime.run(run)).toEqual({ text: 'tool said: blue sky' });
});

test('goes on from stored results without asking for them again', async () => {
  const { runtime, server } = await runtimeOn(twoCallsAtOnce);
  const steps: Step[] = [
    { kind: 'text', text: 'Let me add.' },
    { kind: 'tool_call', id: 'c1', tool: 'add', input: { a: 1 } },
    { kind: 'tool_call', id: 'c2', tool: 'add', input: { a: 2 } },
    { kind: 'tool_result', id: 'c1', tool: 'add', output: '11', isError: false },
    { kind: 'tool_result', id: 'c2', tool: 'add', output: '12', isError: false },
  ];
  const run = recordedRun({ steps, tools: { add: () => expect.fail('it ran again') } });
  expect(await runtime.run(run)).toEqual({ text: 'Sums: 11 and 12' });
  expect(server.chats()).toHaveLength(1);
});

test('a reply that was stored before the crash is given without asking the model', async () => {
  const { runtime, server } = await runtimeOn(alwaysAnswer('Another one.'));
  const run = recordedRun({ steps: [{ kind: 'text', text: 'The reply.', final: true }] });
  expect(await runtime.run(run)).toEqual({ text: 'The reply.' });
  expect(server.requests()).toEqual([]);
});

test('a text whose calls were never stored is asked for again', async () => {
  const { runtime, server } = await runtimeOn(alwaysAnswer('Done.'));
  expect(await runtime.run(recordedRun({ steps: [{ kind: 'text', text: 'Let me see.' }] }))).toEqual({ text: 'Done.' });
  expect(rolesOf(server.chats()[0])).toEqual(['system', 'user']);
});

test('a tool that fails, a tool that does not exist and arguments that are no JSON are results for the model', async () => {
  const { runtime } = await runtimeOn((request) => {
    const results = toolResults(request);
    if (results.length > 0) return { text: results.join(' | ') };
    return {
      toolCalls: [
        { name: 'burn', arguments: {} },
        { name: 'no_such_tool', arguments: {} },
        { name: 'burn', arguments: '{"a":' },
      ],
    };
  });
  const run = recordedRun({
    tools: {
      burn: () => {
        throw new Error('it is on fire');
      },
    },
  });
  const { text } = await runtime.run(run);
  expect(text).toContain('it is on fire');
  expect(text).toContain('no_such_tool');
  expect(run.recorded.filter((step) => step.kind === 'tool_result').map((step) => step.isError)).toEqual([
    true,
    true,
    true,
  ]);
});

test('cuts a large result and says so', async () => {
  const { runtime, server } = await runtimeOn(callToolThenAnswer);
  await runtime.run(recordedRun({ body: 'call big {}', tools: { big: () => 'x'.repeat(1_000_000) } }));
  const result = JSON.stringify(server.chats()[1]?.messages.at(-1));
  expect(result.length).toBeLessThan(resultAtMost + 500);
  expect(result).toContain('first 20000 of 1000000 characters');
});

test('stops at the step limit and says so, counting the steps of earlier attempts', async () => {
  const { runtime, server } = await runtimeOn(
    () => ({ text: 'Once more.', toolCalls: [{ name: 'add', arguments: {} }] }),
    {
      stepLimit: 3,
    },
  );
  const steps: Step[] = [
    { kind: 'tool_call', id: 'c1', tool: 'add', input: {} },
    { kind: 'tool_result', id: 'c1', tool: 'add', output: '1', isError: false },
  ];
  const run = recordedRun({ steps, tools: { add: () => '1' } });
  const { text } = await runtime.run(run);
  expect(text).toMatch(/^Once more\.\n\nI stopped after 3 steps/);
  expect(server.chats()).toHaveLength(2);
  expect(await runtime.run({ ...run, steps: [...steps, ...run.recorded] })).toEqual({ text });
});

test('an empty answer is an empty reply', async () => {
  const { runtime } = await runtimeOn(alwaysAnswer(''));
  expect(await runtime.run(recordedRun())).toEqual({ text: '' });
});

test('NO_REPLY is never shown while it grows', async () => {
  const { runtime } = await runtimeOn(slow('NO_REPLY', { chunks: 8, chunkMs: 1 }));
  const run = recordedRun();
  expect(await runtime.run(run)).toEqual({ text: 'NO_REPLY' });
  expect(run.written).toEqual([]);
});

test('a 429 is a wait for as long as Retry-After says, and is not tried again by itself', async () => {
  const { runtime, server } = await runtimeOn(failing(429, 5, alwaysAnswer('x'), 7));
  const failure = await failureOf(runtime.run(recordedRun()));
  expect(failure).toBeInstanceOf(OutsideUnavailable);
  expect(failure).toMatchObject({ retryAfterSeconds: 7, message: expect.stringContaining('429') });
  expect(server.requests()).toHaveLength(1);
});

test('a 503 after a tool has run is a wait, and the next attempt goes on from there', async () => {
  let away = true;
  const { runtime } = await runtimeOn((request) =>
    away && toolResults(request).length > 0 ? { status: 503 } : callToolThenAnswer(request),
  );
  let ran = 0;
  const tools = { add: () => String(++ran) };
  const run = recordedRun({ body: 'call add {}', tools });
  expect(await failureOf(runtime.run(run))).toBeInstanceOf(OutsideUnavailable);
  away = false;
  const next = recordedRun({ body: 'call add {}', tools, steps: run.recorded });
  expect(await runtime.run(next)).toEqual({ text: 'tool said: 1' });
  expect(ran).toBe(1);
});

test('a server that is away is a wait', async () => {
  const { runtime, server } = await runtimeOn(alwaysAnswer('x'));
  await server.pause();
  const failure = await failureOf(runtime.run(recordedRun()));
  expect(failure).toBeInstanceOf(OutsideUnavailable);
  expect(failure).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
});

test('a stream that is cut is a wait, and nothing of it is stored', async () => {
  const { runtime, server } = await runtimeOn(() => ({ text: 'one two three', chunks: 3, hangAfterChunks: 2 }));
  const run = recordedRun();
  const failure = failureOf(runtime.run(run));
  await expect.poll(() => run.written.length).toBe(2);
  await server.pause();
  expect(await failure).toBeInstanceOf(OutsideUnavailable);
  expect(run.recorded).toEqual([]);
});

test('a wrong key, an unknown model and a refused request are for good, and the key is not said', async () => {
  const server = await serve(alwaysAnswer('x'), 'sk-right');
  const wrongKey = await createLlmRuntime({
    endpoint: endpointOf(server, 'sk-wrong'),
    stepLimit: 5,
    deadlineMs: 10_000,
  });
  const refused = await failureOf(wrongKey.run(recordedRun()));
  expect(refused).toBeInstanceOf(PermanentFailure);
  expect(refused).toMatchObject({ message: expect.stringContaining('OPENAI_API_KEY') });
  expect(String(refused)).not.toContain('sk-wrong');

  const endpoint = endpointOf(server, 'sk-right', 'gpt-none');
  const unknown = await failureOf(
    (await createLlmRuntime({ endpoint, stepLimit: 5, deadlineMs: 10_000 })).run(recordedRun()),
  );
  expect(unknown).toBeInstanceOf(PermanentFailure);
  expect(unknown).toMatchObject({ message: expect.stringContaining('openai-compatible/gpt-none is unknown') });

  const { runtime } = await runtimeOn(failing(422, 1, alwaysAnswer('x')));
  expect(await failureOf(runtime.run(recordedRun()))).toBeInstanceOf(PermanentFailure);
});

test('a model that hangs is given up at the deadline, in words', async () => {
  const { runtime, server } = await runtimeOn(() => ({ text: 'one two', hangAfterChunks: 1 }), { deadlineMs: 200 });
  const failure = await failureOf(runtime.run(recordedRun()));
  expect(failure).toMatchObject({ message: 'no answer within 0.2 s (MODEL_DEADLINE)' });
  expect(failure).not.toBeInstanceOf(OutsideUnavailable);
  await expect.poll(() => server.requests()[0]?.outcome).toBe('aborted');
});

test('an abort ends the run within a second with its reason, and closes the connection to the model', async () => {
  const { runtime, server } = await runtimeOn(() => ({ text: 'one two', hangAfterChunks: 1 }));
  const run = recordedRun();
  const reason = new Error('stopped by a person');
  const failure = failureOf(runtime.run(run));
  await expect.poll(() => run.written.length).toBe(1);
  using given = secondsGiven();
  run.abort(reason);
  expect(await failure).toBe(reason);
  expect(given.passed()).toBeLessThan(1);
  await expect.poll(() => server.requests()[0]?.outcome).toBe('aborted');
  expect(run.recorded).toEqual([]);
});

test('an abort during a tool reaches the tool, and nothing is stored after it', async () => {
  const { runtime, server } = await runtimeOn(callToolThenAnswer);
  let toolStopped = false;
  const run = recordedRun({
    body: 'call wait {}',
    tools: {
      wait: (_input, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            toolStopped = true;
            resolve('late');
          });
        }),
    },
  });
  const reason = new Error('the process ends');
  const failure = failureOf(runtime.run(run));
  await expect.poll(() => run.recorded.length).toBe(1);
  await sleep(50);
  run.abort(reason);
  expect(await failure).toBe(reason);
  await expect.poll(() => toolStopped).toBe(true);
  await sleep(50);
  expect(run.recorded).toHaveLength(1);
  expect(server.chats()).toHaveLength(1);
});

test('a step that cannot be stored ends the run with that error, and no tool runs', async () => {
  class LeaseLost extends Error {}
  const { runtime } = await runtimeOn(callToolThenAnswer);
  let ran = 0;
  const run = recordedRun({
    body: 'call add {}',
    tools: { add: () => String(++ran) },
    beforeRecord: () => {
      throw new LeaseLost('gone');
    },
  });
  expect(await failureOf(runtime.run(run))).toBeInstanceOf(LeaseLost);
  expect(ran).toBe(0);
});

test('a result that cannot be stored ends the run before the model hears of it', async () => {
  class LeaseLost extends Error {}
  const { runtime, server } = await runtimeOn(callToolThenAnswer);
  const run = recordedRun({
    body: 'call add {}',
    tools: { add: () => '1' },
    beforeRecord: (step) => {
      if (step.kind === 'tool_result') throw new LeaseLost('gone');
    },
  });
  expect(await failureOf(runtime.run(run))).toBeInstanceOf(LeaseLost);
  await sleep(50);
  expect(server.chats()).toHaveLength(1);
});

test("the Worker's earlier replies are the assistant's, others' messages are blocks", async () => {
  const { runtime, server } = await runtimeOn(combine(alwaysAnswer('Hi.')));
  const history = [
    briefedEvent({ id: 'e-a', body: 'what is up' }),
    briefedEvent({ id: 'e-b', body: 'Not much.', author: 'w-assistant', sourceKind: 'ai' }),
  ];
  await runtime.run(recordedRun({ briefing: briefing({ history, body: 'and now' }) }));
  const request = server.chats()[0];
  expect(rolesOf(request)).toEqual(['system', 'user', 'assistant', 'user']);
  expect(request?.messages[2]).toMatchObject({ content: 'Not much.' });
});

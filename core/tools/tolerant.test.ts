import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findTool } from './index.ts';
import { readInput } from './read-input.ts';
import { exactly } from './tolerant.ts';
import type { ToolName } from './tool-names.ts';

function read(tool: ToolName, input: unknown): unknown {
  const found = findTool(tool);
  if (!found) throw new Error(`no tool ${tool}`);
  return readInput(found, input);
}

const sam = { name: 'Sam', kind: 'ai', position: 'p-assistant' };

describe('what is unambiguous is accepted', () => {
  it.each<[ToolName, unknown, unknown]>([
    ['create_stream', { name: 'A', transport: 'mail' }, { name: 'A', transport: { kind: 'mail' } }],
    [
      'create_stream',
      { name: 'A', transport: '{"kind":"mail","config":{"alias":"Sales"}}' },
      { name: 'A', transport: { kind: 'mail', config: { alias: 'sales' } } },
    ],
    ['create_stream', { name: 'A', description: null, transport: null }, { name: 'A' }],
    ['list_roles', { limit: '7' }, { limit: 7 }],
    ['read_events', { stream: 'general', wait: '5', since: 3 }, { stream: 's-general', wait: 5, since: 3 }],
    ['grant', { worker: 'w-a', tools: 'dm' }, { worker: 'w-a', tools: ['dm'] }],
    ['grant', { worker: 'w-a', tools: '["dm", "publish"]' }, { worker: 'w-a', tools: ['dm', 'publish'] }],
    ['hire_worker', { ...sam, subscriptions: 's-general' }, { ...sam, subscriptions: [{ stream: 's-general' }] }],
    [
      'hire_worker',
      { ...sam, subscriptions: ['s-a', { stream: 's-b', mode: 'mentions' }] },
      { ...sam, subscriptions: [{ stream: 's-a' }, { stream: 's-b', mode: 'mentions' }] },
    ],
    ['hire_worker', { ...sam, subscriptions: '[{"stream":"s-a"}]' }, { ...sam, subscriptions: [{ stream: 's-a' }] }],
    [
      'publish',
      { stream: 's-a', body: 'x', attachments: '[{"name":"n","type":"t","size":"12","url":"https://a.example/n"}]' },
      { stream: 's-a', body: 'x', attachments: [{ name: 'n', type: 't', size: 12, url: 'https://a.example/n' }] },
    ],
  ])('%s %j', (tool, input, output) => {
    expect(read(tool, input)).toEqual(output);
  });

  it('nothing at all is an object without arguments', () => {
    expect(read('list_roles', undefined)).toEqual({});
  });
});

describe('a mistake is answered with what is valid', () => {
  it.each<[ToolName, unknown, string]>([
    ['hire_worker', { ...sam, kind: 'foo' }, 'kind: unknown worker kind "foo" (valid: "human", "ai")'],
    ['hire_worker', { name: 'Sam', kind: 'ai' }, 'position: is missing'],
    ['hire_worker', { ...sam, kind: undefined }, 'kind: missing worker kind (valid: "human", "ai")'],
    [
      'hire_worker',
      { ...sam, subscriptions: [{ stream: 's-a', mode: 'some' }] },
      'subscriptions[0].mode: unknown subscription mode "some" (valid: "all", "mentions")',
    ],
    ['grant', { worker: 'w-a', tools: ['dm', 'fly'] }, 'tools[1]: unknown tool "fly" (valid: "ask_for_help"'],
    ['grant', { worker: 'w-a', tools: '["fly"]' }, 'tools[0]: unknown tool "fly"'],
    ['grant', { worker: 'w-a', tools: 'fly' }, 'tools: unknown tool "fly"'],
    ['grant', { worker: 'w-a', tools: '["fly"' }, 'tools: is neither a value nor valid JSON'],
    [
      'create_stream',
      { name: 'A', transport: 'slack' },
      'transport: unknown transport kind "slack" (valid: "mail", "terminal")',
    ],
    ['create_stream', { name: 'A', transport: { kind: 'slack' } }, 'transport.kind: unknown transport kind "slack"'],
    ['list_roles', { limit: 'many' }, 'limit: must be a whole number from 1 to 200'],
    ['list_roles', { limit: 0 }, 'limit: Too small'],
    ['list_roles', { limt: 3 }, 'unknown argument "limt" (valid: "cursor", "limit")'],
    [
      'update_role',
      { role: 'r-a', titel: 'x' },
      'unknown argument "titel" (valid: "role", "title", "content", "desktop")',
    ],
    ['list_roles', [], 'expected object'],
    ['publish', { stream: 's-a', body: ' ' }, 'body: must not be empty'],
    [
      'publish',
      { stream: 's-a', body: 'x', attachments: [{ name: 'n', type: 't', size: 1, url: 'file:///etc/passwd' }] },
      'attachments[0].url: Invalid URL',
    ],
  ])('%s %j', (tool, input, sentence) => {
    expect(() => read(tool, input)).toThrow(sentence);
  });

  it('several mistakes come together, each once', () => {
    expect(() => read('hire_worker', { kind: 'x', grants: ['y', 'y'] })).toThrow(
      /name: is missing; kind: .*; position: is missing; grants\[0\]/,
    );
  });
});

it('what is accepted stands in the JSON schema, and what is refused does not', () => {
  const schema = z.toJSONSchema(findTool('create_stream')?.input ?? exactly({}), { io: 'input', target: 'draft-7' });
  expect(schema.additionalProperties).toBe(false);
  expect(JSON.stringify(schema)).toContain('"enum":["mail","terminal"]');
  expect(JSON.stringify(schema.properties?.transport)).toMatch(/"anyOf".*"type":"object".*"type":"string"/);
});

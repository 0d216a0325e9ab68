import { expect, it } from 'vitest';
import type { ParsedChatRequest } from './chat-request.ts';
import {
  alwaysAnswer,
  callToolThenAnswer,
  combine,
  ECHO_ROLE,
  echoByRole,
  failing,
  LOUD_ROLE,
  lastMessage,
  scriptNamed,
} from './model-scripts.ts';

function asking(said: string, system = '', after: ParsedChatRequest['messages'] = []): ParsedChatRequest {
  return {
    model: 'scripted',
    messages: [{ role: 'system', content: system }, { role: 'user', content: said }, ...after],
  };
}

const twoBlocks = [
  '2 messages have come.',
  '<message from="ann@example.com" note="a > b">',
  'good morning',
  '</message>',
  '<message from="bob@example.com">',
  'hello',
  '</message>',
  'Answer the last one.',
].join('\n');

it('takes the body of the last marked block as the last message', () => {
  expect(lastMessage(asking(twoBlocks))).toBe('hello');
  expect(lastMessage(asking(' just text '))).toBe('just text');
});

it('echoes as the role says, from the next request on', async () => {
  expect(await echoByRole(asking(twoBlocks, `# Role\n${ECHO_ROLE}\n`))).toEqual({ text: 'echo: hello' });
  expect(await echoByRole(asking(twoBlocks, `# Role\n${LOUD_ROLE}\n`))).toEqual({ text: 'loud: HELLO' });
  expect(await echoByRole(asking(twoBlocks, 'Be brief.'))).toBeUndefined();
});

it('does not take the words of a person for a role', async () => {
  expect(await echoByRole(asking(LOUD_ROLE, ECHO_ROLE))).toEqual({ text: `echo: ${LOUD_ROLE}` });
});

it('calls the tool that it is asked to, once, and tells the beginning of the result', async () => {
  const said = '<message>\ncall update_role {"role":"r-a","content":"{x}"} please :}\n</message>';
  const toolCalls = [{ name: 'update_role', arguments: { role: 'r-a', content: '{x}' } }];
  expect(await callToolThenAnswer(asking(said))).toEqual({ toolCalls });
  const answered = asking(said, '', [{ role: 'tool', tool_call_id: 'c1', content: 'x'.repeat(600) }]);
  expect(await callToolThenAnswer(answered)).toEqual({ text: `tool said: ${'x'.repeat(500)}` });
});

it('calls no tool without a name and an object', async () => {
  for (const said of ['call me', 'call who now', 'recall x {', 'hello']) {
    expect(await callToolThenAnswer(asking(said))).toBeUndefined();
  }
});

it('calls again when the next message asks again', async () => {
  const call = 'call who {}';
  const second = asking(call, '', [
    { role: 'tool', tool_call_id: 'c1', content: 'first' },
    { role: 'assistant', content: 'tool said: first' },
    { role: 'user', content: call },
  ]);
  expect(await callToolThenAnswer(second)).toEqual({ toolCalls: [{ name: 'who', arguments: {} }] });
});

it('picks the first script that applies', async () => {
  const script = combine(echoByRole, alwaysAnswer('else'));
  expect(await script(asking('hi', ECHO_ROLE))).toEqual({ text: 'echo: hi' });
  expect(await script(asking('hi'))).toEqual({ text: 'else' });
  expect(await combine(echoByRole)(asking('hi'))).toBeUndefined();
});

it('fails as often as told', async () => {
  const script = failing(500, 2, alwaysAnswer('ok'));
  const replies = [await script(asking('a')), await script(asking('b')), await script(asking('c'))];
  expect(replies).toMatchObject([{ status: 500 }, { status: 500 }, { text: 'ok' }]);
});

it('names the scripts there are when asked for another', () => {
  expect(() => scriptNamed('nonsense')).toThrow('unknown script "nonsense" (valid: everything, echoByRole');
  expect(() => scriptNamed('toString')).toThrow('unknown script');
});

import type { GetPromptResult, ListPromptsResult } from '@modelcontextprotocol/sdk/types.js';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import { visiblePrompts } from '../prompts/index.ts';
import type { ToolContext } from '../tools/tool.ts';

/** The prompts that the Worker may use. */
export async function listPrompts({ core, organisation, worker }: ToolContext): Promise<ListPromptsResult> {
  const visible = await visiblePrompts(core.database, organisation, worker);
  const prompts = visible.filter(({ needsThread }) => !needsThread);
  return {
    prompts: prompts.map(({ name, title, description, argument }) => ({
      name,
      title,
      description,
      arguments: argument ? [{ ...argument }] : [],
    })),
  };
}

/**
 * A prompt as messages for a model. One that the core answers itself is its answer.
 *
 * @throws NotFoundError for an unknown or invisible one, InvalidInputError for a missing argument.
 */
export async function getPrompt(
  { core, organisation, worker }: ToolContext,
  name: string,
  args: Readonly<Record<string, string>>,
): Promise<GetPromptResult> {
  const visible = await visiblePrompts(core.database, organisation, worker);
  const prompt = visible.find((known) => known.name === name && !known.needsThread);
  if (!prompt) throw new NotFoundError(`unknown prompt "${name}": prompts/list says which you have`);
  const { argument } = prompt;
  const said = (argument && args[argument.name]?.trim()) ?? '';
  if (argument?.required && said === '')
    throw new InvalidInputError(`"${argument.name}" is missing: ${argument.description}`);
  const answer =
    prompt.kind === 'message'
      ? prompt.message(said)
      : await prompt.answer({ core, organisation, worker, visible }, said);
  const text = typeof answer === 'string' ? answer : answer.text;
  return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
}

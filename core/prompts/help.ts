import { threadCommands } from '../streams/thread-commands.ts';
import type { AnswerPrompt } from './prompt.ts';

/** Walks the registry, so that a new prompt appears by itself. */
export const help: AnswerPrompt = {
  kind: 'answer',
  name: 'help',
  title: 'Help',
  description: 'what you can say here besides talking',
  isMeant: (argument) => argument === '',
  async answer({ visible }) {
    const prompts = visible.map(({ name, argument, description }) => {
      const usage = argument ? (argument.required ? ` <${argument.name}>` : ` [${argument.name}]`) : '';
      return `- \`/${name}${usage}\`: ${description}`;
    });
    const words = threadCommands.map(({ name, description }) => `- \`${name}\`: ${description}`);
    return [
      'Write what you want, and the agent of this thread answers. A name at the head picks another agent.',
      '',
      ...prompts,
      '',
      'In a thread:',
      ...words,
      '- `(aside) …`: the agents ignore this message',
    ].join('\n');
  },
};

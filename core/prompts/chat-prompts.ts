import type { ChatPrompts } from '../core.ts';
import { SwitchboardError } from '../errors.ts';
import { allPrompts, visiblePrompts } from './index.ts';

/** The prompts as every door offers them: the text after the mention, with or without a slash. */
export const chatPrompts: ChatPrompts = {
  async inChat(core, { organisation, worker, stream, command }) {
    const { name, argument, slash } = command;
    // Most first words name no prompt: nothing is asked of the database for them.
    if (!allPrompts.some((known) => known.name === name)) return null;
    const visible = await visiblePrompts(core.database, organisation, worker);
    const prompt = visible.find((known) => known.name === name);
    if (!prompt || !(slash || prompt.isMeant(argument))) return null;
    if (prompt.argument?.required && argument === '') {
      const { name: wanted, description } = prompt.argument;
      return { kind: 'answer', answer: async () => `Say ${description}: \`/${name} <${wanted}>\`.` };
    }
    if (prompt.kind === 'message') return { kind: 'prompt', text: prompt.message(argument) };
    return {
      kind: 'answer',
      async answer({ thread }) {
        try {
          return await prompt.answer({ core, organisation, worker, visible, place: { stream, thread } }, argument);
        } catch (error) {
          // What the person can mend is the answer, and that a Desktop is not there; the message itself has been accepted already.
          const isTheirs = error instanceof SwitchboardError && error.status < 500;
          const isDesktop = error instanceof SwitchboardError && error.code === 'desktop_unavailable';
          if (isTheirs || isDesktop) return error.message;
          throw error;
        }
      },
    };
  },
};

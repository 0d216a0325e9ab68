import type { AgentPrompt } from './prompt.ts';

/** Has an agent prepare a hire. */
export const hire: AgentPrompt = {
  kind: 'message',
  name: 'hire',
  title: 'Hire somebody',
  description: 'prepare the hiring of a worker',
  argument: { name: 'whom', description: 'a name and what for, such as "Sam for customer mail"', required: true },
  needsTool: 'hire_worker',
  isMeant: (argument) => argument !== '' && !/[.?!]/.test(argument),
  message: (whom) =>
    [
      `Prepare to hire ${JSON.stringify(whom)}.`,
      'See which roles, positions and streams there are. Propose the name, whether it is an AI or a person, the position (and role) to sit in,',
      'an identity text, the fewest grants that the work needs, and at least one stream to listen to.',
      'Show me the proposal and ask whether to go on. Only once I agree, create what is missing and call hire_worker.',
      'If you lack a tool for it, say which: I can do that part myself.',
    ].join('\n'),
};

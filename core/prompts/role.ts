import type { AgentPrompt } from './prompt.ts';

/** Has an agent draft a Role. */
export const role: AgentPrompt = {
  kind: 'message',
  name: 'role',
  title: 'Draft a role',
  description: 'draft a role from its title',
  argument: { name: 'title', description: 'what the role is called, such as "Support engineer"', required: true },
  needsTool: 'create_role',
  isMeant: (argument) => /^[^.?!]+$/.test(argument) && argument.split(' ').length <= 5,
  message: (title) =>
    [
      `Draft a role titled ${JSON.stringify(title)}: a job description in markdown, half a page at most.`,
      'Say when its holder acts and on what it stays quiet, what it does step by step, where it answers, and what it must not do.',
      'Show me the draft and ask whether to create it. Only once I agree, call create_role.',
      'If you have no such tool, say so: I can create it myself from your draft.',
    ].join('\n'),
};

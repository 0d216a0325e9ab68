import { activationStreamOf } from '../dispatch/steps.ts';
import { findWorker, manages } from '../organisation/workers.ts';
import { readTranscript } from '../streams/read-transcript.ts';
import { subscribe } from '../streams/subscriptions.ts';
import { agentOfPlace } from './agent-of-place.ts';
import type { AnswerPrompt } from './prompt.ts';
import { readersOfPlace } from './readers-of-place.ts';

const steps = 20;
const longestLine = 200;

/** Shows the last steps of an agent. */
export const log: AnswerPrompt = {
  kind: 'answer',
  name: 'log',
  title: 'What an agent did',
  description: 'what an agent did lately, step by step',
  argument: { name: 'worker', description: 'its name or id; the agent of this thread if left out', required: false },
  needsTool: 'worker_log',
  isMeant: (argument) => argument === '',
  async answer(context, argument) {
    const { core, organisation, worker: asker } = context;
    const worker = argument
      ? (await findWorker(core.database, organisation, argument)).id
      : await agentOfPlace(context, 'say whose log: /log assistant');
    const stream = activationStreamOf(worker);
    if (await manages(core.database, organisation, asker, worker))
      await subscribe(core.database, organisation, { worker: asker, stream, mode: 'all' });
    const readers = await readersOfPlace(context);
    // The agent reads along in its own thread; its log holds nothing that it does not know.
    const people = readers.filter((reader) => reader !== worker);
    const page = await readTranscript(core.database, organisation, {
      readers: people,
      stream,
      limit: steps,
      characters: 20_000,
    });
    if (page.events.length === 0) return `${worker} has done nothing yet.`;
    const lines = page.events.map(({ at, activation, kind, body }) => {
      const line = `${at.slice(0, 19).replace('T', ' ')} ${kind.padEnd(11)} ${body.replace(/\s+/g, ' ')}`;
      return kind === 'start' ? `${line} ${activation}` : line.slice(0, longestLine);
    });
    return [`The last ${page.events.length} steps of ${worker}:`, '```', ...lines, '```'].join('\n');
  },
};

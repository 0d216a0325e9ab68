import type { Executor } from '../../store/database.ts';
import type { Briefing, Runtime } from '../runtime.ts';
import { findSaid } from './find-said.ts';
import { questionWords } from './question-words.ts';
import { answerWith, greet } from './write-answer.ts';

/** A reply quotes at most so many messages. */
const quotesAtMost = 3;

/**
 * What answers while no model is set: a look-up in what was said, without a thought of its own. It quotes only what the Worker and
 * everybody who reads the reply may read (design rule 12).
 */
export function createRetrievalRuntime({ database }: { database: Executor }): Runtime {
  return {
    name: 'retrieval',
    async run({ briefing, signal, record, write }) {
      signal.throwIfAborted();
      const text = await answer(database, briefing);
      signal.throwIfAborted();
      await record({ kind: 'text', text, final: true });
      write(text);
      return { text };
    },
  };
}

async function answer(database: Executor, briefing: Briefing): Promise<string> {
  const { batch } = briefing;
  const words = await questionWords(database, batch.map((event) => event.body).join('\n'));
  // A mail may ask with its subject alone.
  if (words.length === 0)
    words.push(...(await questionWords(database, batch.map((event) => event.subject).join('\n'))));
  if (words.length === 0) return greet();
  const found = await findSaid(database, {
    organisation: briefing.organisation,
    words,
    readers: readersOf(briefing),
    except: batch.map((event) => event.id),
    limit: quotesAtMost,
  });
  return answerWith(found);
}

/** Nobody, when nobody is known to read it: then the Worker alone would decide what is shown to whom. */
function readersOf({ readers, batch, worker }: Briefing): Briefing['readers'] {
  const people = new Set([...readers, ...batch.flatMap((event) => event.author ?? [])]);
  people.delete(worker.id);
  return people.size === 0 ? [] : [...people, worker.id];
}

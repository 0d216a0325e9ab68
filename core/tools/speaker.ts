import { unknownWorker } from '../organisation/workers.ts';
import type { AppendInput } from '../streams/append.ts';
import type { ToolContext } from './tool.ts';

/**
 * Who speaks when a Worker publishes: itself, and during an Activation as one more answer in the chain that woke it (design rule 5).
 * An AI that acts by itself answers nobody we know of: it counts as one answer, so that two of them do not go on for ever.
 */
export async function speaker(
  context: ToolContext,
): Promise<Pick<AppendInput, 'author' | 'sourceKind' | 'hops' | 'origin' | 'activation'>> {
  const { core, organisation, worker, activation } = context;
  const [found] = await core.database.query<{ kind: 'human' | 'ai' }>(
    `select kind from worker where organisation = $1 and id = $2`,
    [organisation, worker],
  );
  if (!found) throw unknownWorker(worker);
  const said = { author: worker, sourceKind: found.kind };
  if (activation) {
    const { hops, origin, id } = activation;
    return { ...said, hops, origin, activation: id };
  }
  return { ...said, hops: found.kind === 'ai' ? 1 : 0 };
}

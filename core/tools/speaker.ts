import { InvalidInputError } from '../errors.ts';
import { unknownWorker } from '../organisation/workers.ts';
import type { ThreadId } from '../store/ids.ts';
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

/**
 * The thread that an Activation answers gets its final text, and one visible reply (design rules 7 and 10).
 *
 * @throws InvalidInputError when `thread` is that one.
 */
export function refuseOwnThread(context: ToolContext, thread: ThreadId | undefined): void {
  if (thread !== undefined && thread === context.activation?.thread)
    throw new InvalidInputError(
      'this is the thread that you are answering: your final answer is posted there by itself',
    );
}

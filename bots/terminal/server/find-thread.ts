import { NotFoundError } from '../../../core/errors.ts';
import type { Executor } from '../../../core/store/database.ts';
import type { StreamId, ThreadId } from '../../../core/store/ids.ts';
import { readableBy } from '../../../core/streams/who-may-read.ts';
import type { Caller } from './authenticate.ts';

/**
 * The Stream of a Thread that this person may read.
 *
 * @throws NotFoundError when there is none, or not for them: the two are not told apart.
 */
export async function findThread(executor: Executor, caller: Caller, thread: ThreadId): Promise<{ stream: StreamId }> {
  const [found] = await executor.query<{ stream: StreamId }>(
    `select t.stream from (select organisation, id as thread, stream from thread) t
     where t.organisation = $1 and t.thread = $2 and ${readableBy('t', 'array[$3]')}`,
    [caller.organisation, thread, caller.worker],
  );
  if (!found) throw new NotFoundError(`unknown thread "${thread}"`);
  return found;
}

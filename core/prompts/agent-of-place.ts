import { InvalidInputError } from '../errors.ts';
import type { WorkerId } from '../store/ids.ts';
import type { PromptContext } from './prompt.ts';

/**
 * The agent that takes part in the thread in which a prompt was said, else the Stream's default Worker.
 *
 * @throws InvalidInputError with `otherwise` when there is none
 */
export async function agentOfPlace({ core, organisation, place }: PromptContext, otherwise: string): Promise<WorkerId> {
  const [found] = await core.database.query<{ id: WorkerId }>(
    `select w.id from worker w where w.organisation = $1 and w.kind = 'ai' and w.dismissed_at is null and (
       exists (select 1 from participant p where p.organisation = $1 and p.thread = $3 and p.worker = w.id)
       or exists (select 1 from stream s where s.organisation = $1 and s.id = $2 and s.default_worker = w.id))
     order by exists (select 1 from participant p where p.organisation = $1 and p.thread = $3 and p.worker = w.id) desc, w.id
     limit 1`,
    [organisation, place?.stream ?? null, place?.thread ?? null],
  );
  if (!found) throw new InvalidInputError(otherwise);
  return found.id;
}

import { ForbiddenError } from '../errors.ts';
import type { Executor } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { isGuest } from './visible-workers.ts';

/**
 * Refuses what is for known people only, and says how to become one.
 *
 * @throws ForbiddenError (`guest`) when one of `workers` is a guest, or is not here (any more)
 */
export async function requireNoGuest(
  executor: Executor,
  organisation: OrganisationId,
  workers: readonly WorkerId[],
): Promise<void> {
  const guests = await executor.query<{ id: WorkerId }>(
    `select asked.id from unnest($2::text[]) asked(id) where not exists (
       select 1 from worker w where w.organisation = $1 and w.id = asked.id and w.dismissed_at is null and not ${isGuest('w')})`,
    [organisation, workers],
  );
  if (guests.length === 0) return;
  throw new ForbiddenError(
    'I am sorry: desktops are for people who are known here, and I do not know you yet. Ask whoever runs this Switchboard for a pairing code (`npx switchboard pair` makes one) and send it to me; then ask again.',
    'guest',
  );
}

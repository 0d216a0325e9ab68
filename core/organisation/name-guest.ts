import type { Executor } from '../store/database.ts';
import type { OrganisationId } from '../store/ids.ts';
import type { Identity } from './identities.ts';
import { isGuest } from './visible-workers.ts';

/**
 * Gives a guest the name that its platform has for it, learnt after its first message. Whoever is no guest keeps the name it has,
 * and no guest gets a colleague's. Returns whether the name has changed.
 */
export async function nameGuest(
  executor: Executor,
  organisation: OrganisationId,
  identity: Identity,
  name: string,
): Promise<boolean> {
  const shown = name
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, longestName);
  if (shown === '') return false;
  const rows = await executor.query(
    `update worker w set name = $4, updated_at = now() from identity i
     where i.organisation = $1 and i.platform = $2 and i.external_id = $3 and w.organisation = $1 and w.id = i.worker
       and w.name <> $4 and ${isGuest('w')}
       and not exists (select 1 from worker c where c.organisation = $1 and lower(c.name) = lower($4) and not ${isGuest('c')})
     returning 1`,
    [organisation, identity.platform, identity.externalId, shown],
  );
  return rows.length > 0;
}

const longestName = 100;

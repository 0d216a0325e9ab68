import { InvalidInputError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { lockOrganisation } from './change-organisation.ts';
import { refuseLastGrantor } from './grants.ts';
import { unknownWorker } from './workers.ts';

/**
 * Lets a Worker go, at once: its tokens are void, it holds nothing, reads nothing, listens nowhere and is addressed no more. What
 * waits for it is cancelled, what it does is stopped. What it has said stays, under its name. A person whose identities were linked
 * is a guest from the next message on.
 *
 * @throws InvalidInputError for oneself, ConflictError for the last who may grant, NotFoundError for an unknown Worker.
 */
export async function dismissWorker(
  database: Database,
  organisation: OrganisationId,
  input: { worker: WorkerId; by: WorkerId },
): Promise<{ cancelledTriggers: number }> {
  const { worker, by } = input;
  if (worker === by) throw new InvalidInputError('you cannot dismiss yourself: somebody else who holds the grant can');
  return await database.transaction(async (tx) => {
    await lockOrganisation(tx, organisation);
    await refuseLastGrantor(tx, organisation, worker);
    // Rows are locked in the order Stream, Lane, Worker, as everywhere.
    await tx.query(`update stream set default_worker = null where organisation = $1 and default_worker = $2`, [
      organisation,
      worker,
    ]);
    await tx.query(
      `update lane set ready_at = now()
       where organisation = $1 and kind = 'activation' and owner = $2 and ready_at is not null and lease_until is null`,
      [organisation, worker],
    );
    const gone = await tx.query(
      `update worker set dismissed_at = now(), updated_at = now(), token_version = token_version + 1
       where organisation = $1 and id = $2 and dismissed_at is null returning 1`,
      [organisation, worker],
    );
    if (gone.length === 0) throw unknownWorker(worker);
    const [row] = await tx.query<{ cancelled: number }>(
      `with g as (delete from "grant" where organisation = $1 and worker = $2),
            s as (delete from subscription where organisation = $1 and worker = $2),
            i as (delete from identity where organisation = $1 and worker = $2),
            p as (delete from participant where organisation = $1 and worker = $2),
            c as (delete from pairing_code where organisation = $1 and worker = $2),
            a as (update activation set cancel_requested_at = now()
                   where organisation = $1 and worker = $2 and state in ('running', 'waiting')),
            t as (update trigger set state = 'cancelled'
                   where organisation = $1 and worker = $2 and state = 'waiting' returning 1)
       select count(*) as cancelled from t`,
      [organisation, worker],
    );
    return { cancelledTriggers: row?.cancelled ?? 0 };
  });
}

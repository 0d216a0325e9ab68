import type { Core } from '../core.ts';
import type { Statement } from '../store/database.ts';
import type { OrganisationId, ThreadId } from '../store/ids.ts';
import { Cancelled, type Running } from './run-activation.ts';

/**
 * `stop`: what runs in this Thread is told to end, in whatever process; what waits is dropped. Returns how many Activations and
 * waiting messages that were.
 */
export async function cancelThread(
  core: Core,
  organisation: OrganisationId,
  thread: ThreadId,
): Promise<{ activations: number; triggers: number }> {
  const lanes: Statement = [
    `select 1 from lane where organisation = $1 and kind = 'activation' and thread = $2 order by owner for update`,
    [organisation, thread],
  ];
  const cancel: Statement = [
    `with a as (
       update activation set cancel_requested_at = now()
       where organisation = $1 and thread = $2 and state in ('running', 'waiting') returning worker
     ), t as (
       update trigger set state = 'cancelled' where organisation = $1 and thread = $2 and state = 'waiting' returning 1
     ), l as (
       -- One that waits for its next attempt is claimed at once, to be ended.
       update lane set ready_at = now() from a
       where lane.organisation = $1 and lane.kind = 'activation' and lane.owner = a.worker and lane.thread = $2
         and lane.lease_until is null
     )
     select (select count(*) from a) as activations, (select count(*) from t) as triggers`,
    [organisation, thread],
  ];
  // Lane before Activation, as in every claim.
  const [, [row]] = await core.database.transaction((tx) =>
    tx.commitWith<[never, { activations: number; triggers: number }]>(lanes, cancel),
  );
  core.waking.announce();
  return row ?? { activations: 0, triggers: 0 };
}

/** Stops those of this process's Activations that a person has asked to stop. */
export async function abortCancelled(core: Core, running: Running): Promise<void> {
  if (running.size === 0) return;
  const rows = await core.database.query<{ id: string }>(
    `select id from activation where id = any($1::text[]) and cancel_requested_at is not null`,
    [[...running.keys()]],
  );
  for (const { id } of rows) running.get(id)?.abort(new Cancelled());
}

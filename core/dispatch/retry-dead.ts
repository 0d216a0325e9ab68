import type { Core } from '../core.ts';
import { NotFoundError } from '../errors.ts';
import type { OrganisationId, StreamId, ThreadId } from '../store/ids.ts';
import type { LaneKind } from './lane.ts';

/** An Activation or a Delivery that was given up. */
export interface Dead {
  id: string;
  kind: LaneKind;
  stream: StreamId;
  thread: ThreadId;
  reason: string;
  at: Date;
}

/** What was given up, newest first, a page at a time. `readers`: only Threads that all of them may read are listed by the caller's policy. */
export async function listDead(
  core: Pick<Core, 'database'>,
  organisation: OrganisationId,
  options: { kind?: LaneKind; cursor?: string | null; limit?: number } = {},
): Promise<{ items: Dead[]; cursor: string | null }> {
  const limit = Math.min(Math.max(options.limit ?? 50, 1), 200);
  const rows = await core.database.query<Dead>(
    `select * from (
       select a.id, 'activation' as kind, a.stream, a.thread, coalesce(a.error, '') as reason, a.ended_at as at
       from activation a where a.organisation = $1 and a.state = 'dead'
       union all
       select d.id, 'delivery', t.stream, d.thread, coalesce(d.error, ''), coalesce(d.delivered_at, d.created_at)
       from delivery d join thread t on t.organisation = d.organisation and t.id = d.thread
       where d.organisation = $1 and d.state = 'dead'
     ) dead
     where ($2::text is null or kind = $2) and ($3::text is null or id < $3)
     order by id desc limit $4`,
    [organisation, options.kind ?? null, options.cursor ?? null, limit + 1],
  );
  const items = rows.slice(0, limit);
  return { items, cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Tries a dead Activation or Delivery again, with its attempts counted from nothing.
 *
 * @throws NotFoundError when nothing dead has this id.
 */
export async function retryDead(
  core: Pick<Core, 'database' | 'waking'>,
  organisation: OrganisationId,
  id: string,
): Promise<{ id: string; kind: LaneKind; thread: ThreadId }> {
  const revived = await core.database.transaction(async (tx) => {
    const [found] = await tx.query<{ kind: LaneKind; owner: string; thread: ThreadId }>(
      `select 'activation' as kind, worker as owner, thread from activation where organisation = $1 and id = $2 and state = 'dead'
       union all
       select 'delivery', binding, thread from delivery where organisation = $1 and id = $2 and state = 'dead'`,
      [organisation, id],
    );
    if (!found) throw new NotFoundError(`nothing that was given up has the id "${id}" (list_dead lists what was)`);
    await tx.query(
      `insert into lane (organisation, kind, owner, thread, ready_at) values ($1, $2, $3, $4, now())
       on conflict (organisation, kind, owner, thread) do update set ready_at = coalesce(lane.ready_at, now())`,
      [organisation, found.kind, found.owner, found.thread],
    );
    const fresh = `failures = 0, lost_leases = 0, waiting_since = null, error = null`;
    if (found.kind === 'activation')
      await tx.query(
        `with t as (update trigger set state = 'taken' where organisation = $1 and activation = $2 and state = 'dead')
         update activation set state = 'waiting', ended_at = null, cancel_requested_at = null, ${fresh}
         where organisation = $1 and id = $2`,
        [organisation, id],
      );
    else
      await tx.query(`update delivery set state = 'queued', ${fresh} where organisation = $1 and id = $2`, [
        organisation,
        id,
      ]);
    return { id, kind: found.kind, thread: found.thread };
  });
  core.waking.announce();
  return revived;
}

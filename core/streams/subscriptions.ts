import { ForbiddenError, InvalidInputError } from '../errors.ts';
import { manages } from '../organisation/workers.ts';
import type { Executor } from '../store/database.ts';
import type { OrganisationId, StreamId, WorkerId } from '../store/ids.ts';
import { unknownStream } from './streams.ts';

/** How much of a Stream wakes an AI: everything, or only what addresses it and Threads that it takes part in. */
export type SubscriptionMode = 'all' | 'mentions';

/**
 * Subscribes a Worker to a Stream, or changes the mode. A channel and mail are open to whoever holds the tool; a Worker's
 * transcript to those who manage it (never to itself: it would wake itself); a DM to nobody.
 *
 * @throws NotFoundError, ForbiddenError
 */
export async function subscribe(
  executor: Executor,
  organisation: OrganisationId,
  input: { worker: WorkerId; stream: StreamId; mode: SubscriptionMode },
): Promise<void> {
  const { worker, stream, mode } = input;
  const kind = await kindOf(executor, organisation, stream);
  if (kind === 'dm') throw unknownStream(stream);
  if (kind === 'activation') await requireManager(executor, organisation, worker, stream);
  await executor.query(
    `insert into subscription (organisation, worker, stream, mode) values ($1, $2, $3, $4)
     on conflict (organisation, worker, stream) do update set mode = excluded.mode`,
    [organisation, worker, stream, mode],
  );
}

/** Ends a Subscription. Returns false when there was none. */
export async function unsubscribe(
  executor: Executor,
  organisation: OrganisationId,
  input: { worker: WorkerId; stream: StreamId },
): Promise<boolean> {
  const rows = await executor.query(
    `delete from subscription where organisation = $1 and worker = $2 and stream = $3 returning 1`,
    [organisation, input.worker, input.stream],
  );
  return rows.length > 0;
}

/**
 * Subscribes others to a channel or to mail; those who are subscribed already stay as they are.
 *
 * @returns who is new
 * @throws NotFoundError, InvalidInputError when the Stream takes no guests.
 */
export async function inviteWorkers(
  executor: Executor,
  organisation: OrganisationId,
  input: { stream: StreamId; workers: readonly WorkerId[] },
): Promise<WorkerId[]> {
  const { stream, workers } = input;
  const kind = await kindOf(executor, organisation, stream);
  if (kind === 'dm') throw unknownStream(stream);
  if (kind === 'activation')
    throw new InvalidInputError(`nobody can be invited to "${stream}": those who manage the worker subscribe to it`);
  const rows = await executor.query<{ worker: WorkerId }>(
    `insert into subscription (organisation, worker, stream)
     select $1, w.id, $2 from worker w where w.organisation = $1 and w.id = any($3::text[]) and w.dismissed_at is null
     on conflict do nothing returning worker`,
    [organisation, stream, workers],
  );
  return rows.map((row) => row.worker).sort();
}

async function kindOf(executor: Executor, organisation: OrganisationId, stream: StreamId): Promise<string> {
  const [row] = await executor.query<{ kind: string }>(`select kind from stream where organisation = $1 and id = $2`, [
    organisation,
    stream,
  ]);
  if (!row) throw unknownStream(stream);
  return row.kind;
}

async function requireManager(
  executor: Executor,
  organisation: OrganisationId,
  reader: WorkerId,
  stream: StreamId,
): Promise<void> {
  const [row] = await executor.query<{ id: WorkerId }>(
    `select id from worker where organisation = $1 and 's-activation-' || id = $2`,
    [organisation, stream],
  );
  if (!row || !(await manages(executor, organisation, reader, row.id)))
    throw new ForbiddenError(`only those who manage ${row?.id ?? 'the worker'} may read its log`);
}

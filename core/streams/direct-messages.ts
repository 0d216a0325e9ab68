import { createHash } from 'node:crypto';
import type { Executor } from '../store/database.ts';
import type { OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';

/** The one place where two Workers talk to each other. */
export interface DirectMessages {
  stream: StreamId;
  thread: ThreadId;
}

/**
 * The ids of a pair's DM, whoever begins: `s-dm-w-ada-w-scout`. A Worker's id may hold `-w-` itself, and then two pairs could come
 * to one text: such a pair has a hash behind it.
 */
export function directMessagesOf(a: WorkerId, b: WorkerId): DirectMessages {
  const pair = [a, b].sort();
  const ambiguous = pair.some((worker) => worker.slice(2).includes('-w-'));
  const hash = ambiguous ? `-${createHash('sha256').update(pair.join(' ')).digest('hex').slice(0, 12)}` : '';
  const name = `dm-${pair.join('-')}${hash}`;
  return { stream: `s-${name}`, thread: `t-${name}` };
}

/** Makes the pair's Stream and Thread with both as participants, if they aren't there yet. */
export async function openDirectMessages(
  executor: Executor,
  organisation: OrganisationId,
  a: WorkerId,
  b: WorkerId,
): Promise<DirectMessages> {
  const { stream, thread } = directMessagesOf(a, b);
  await executor.query(
    `with s as (
       insert into stream (organisation, id, name, kind, created_by)
       select $1, $2, string_agg(w.name, ' and ' order by w.id), 'dm', $4 from worker w
       where w.organisation = $1 and w.id in ($4, $5)
       on conflict do nothing
     ), t as (
       insert into thread (organisation, id, stream) values ($1, $3, $2) on conflict do nothing
     )
     insert into participant (organisation, thread, worker) values ($1, $3, $4), ($1, $3, $5) on conflict do nothing`,
    [organisation, stream, thread, a, b],
  );
  return { stream, thread };
}

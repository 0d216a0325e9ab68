import type { Executor } from '../store/database.ts';
import type { OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';

/**
 * Who may read (design rule 12), as SQL: true when every Worker of the array `readers` may read the Event `event`. A mail or a DM is
 * readable by its Thread's participants only, another Stream by its subscribers. Unknown means no: an empty array reads
 * nothing. Arguments are SQL expressions, not values: an alias of `event` (or of anything with organisation, stream and thread)
 * and a parameter of type text[].
 */
export function readableBy(event: string, readers: string): string {
  return `(cardinality(${readers}::text[]) > 0 and not exists (
    select 1 from unnest(${readers}::text[]) reader(id) where not exists (
      select 1 from stream rs where rs.organisation = ${event}.organisation and rs.id = ${event}.stream and (
        (rs.kind in ('mail', 'dm') and exists (select 1 from participant rp
          where rp.organisation = ${event}.organisation and rp.thread = ${event}.thread and rp.worker = reader.id))
        or (rs.kind in ('channel', 'activation') and exists (select 1 from subscription rb
          where rb.organisation = ${event}.organisation and rb.stream = ${event}.stream and rb.worker = reader.id))
      ))))`;
}

/**
 * Everybody who reads what is said in a Thread: a mail's or DM's participants, else the Stream's human subscribers and the
 * Thread's participants.
 */
export async function readersOf(
  executor: Executor,
  organisation: OrganisationId,
  stream: StreamId,
  thread: ThreadId,
): Promise<WorkerId[]> {
  const rows = await executor.query<{ worker: WorkerId }>(
    `select p.worker from participant p where p.organisation = $1 and p.thread = $3
     union
     select s.worker from subscription s
       join stream t on t.organisation = s.organisation and t.id = s.stream and t.kind not in ('mail', 'dm')
       join worker w on w.organisation = s.organisation and w.id = s.worker and w.kind = 'human'
     where s.organisation = $1 and s.stream = $2
     order by 1`,
    [organisation, stream, thread],
  );
  return rows.map((row) => row.worker);
}

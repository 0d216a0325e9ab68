import type { Executor } from '../store/database.ts';
import type { BindingId, EventId, ThreadId, WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { type AppendInput, coreScope, type StreamKind } from './append-input.ts';

/** What the decision and the write need to know about one Message. */
export interface Resolved {
  /** Null: there is no such Stream. */
  streamKind: StreamKind | null;
  /** The Event that one of its receipts leads to already. */
  seen: { event: EventId; thread: ThreadId; position: number } | null;
  /** The Thread it goes to; null: a new one is made. */
  thread: ThreadId | null;
  muted: boolean;
  participants: WorkerId[];
  /** Of those who are addressed: the AI Workers that are still here. */
  addressed: WorkerId[];
  subscribers: { worker: WorkerId; mode: 'all' | 'mentions' }[];
  defaultWorker: WorkerId | null;
  /** The Bindings at which the Thread has a place. */
  bindings: BindingId[];
}

/** Everything that is to be known about these Messages, in their order, in one round trip. */
export async function resolveAppends(executor: Executor, inputs: readonly AppendInput[]): Promise<Resolved[]> {
  const asked = inputs.map((input, n) => ({
    n,
    organisation: input.organisation,
    stream: input.stream,
    thread: input.thread,
    binding: input.threadPlace?.binding,
    place: input.threadPlace?.externalId,
    scope: input.cameBy ?? coreScope,
    receipts: input.receipts ?? [],
    addressed: input.addressed ?? [],
  }));
  // A subquery a message, where joins would read as well: each is a few probes of indexes, whatever the planner believes of how many
  // messages there are, while joins come to be made by reading the tables whole.
  const rows = await executor.query<{ resolved: Resolved }>(
    `select (
       select jsonb_build_object(
         'streamKind', (select s.kind from stream s where s.organisation = i.organisation and s.id = i.stream),
         'seen', (select jsonb_build_object('event', e.id, 'thread', e.thread, 'position', e.position)
            from json_array_elements_text(i.receipts) k
              join receipt r on r.organisation = i.organisation and r.binding = i.scope and r.external_id = k
              join event e on e.organisation = i.organisation and e.id = r.event limit 1),
         'thread', t.id, 'muted', coalesce(t.muted, false), 'participants', coalesce(t.participants, '[]'),
         'addressed', coalesce((select jsonb_agg(w.id) from json_array_elements_text(i.addressed) x
            join worker w on w.organisation = i.organisation and w.id = x and w.kind = 'ai' and w.dismissed_at is null), '[]'),
         'subscribers', coalesce((select jsonb_agg(jsonb_build_object('worker', su.worker, 'mode', su.mode)) from subscription su
            join worker w on w.organisation = su.organisation and w.id = su.worker and w.kind = 'ai' and w.dismissed_at is null
            where su.organisation = i.organisation and su.stream = i.stream), '[]'),
         'defaultWorker', (select w.id from stream s
            join worker w on w.organisation = s.organisation and w.id = s.default_worker and w.kind = 'ai' and w.dismissed_at is null
            where s.organisation = i.organisation and s.id = i.stream),
         'bindings', coalesce(t.bindings, '[]'))
       from (select coalesce(i.thread, (select tb.thread from thread_binding tb
         where tb.organisation = i.organisation and tb.binding = i.binding and tb.external_id = i.place)) as id) wanted
         left join lateral (
           select h.id, h.muted_at is not null as muted,
             (select jsonb_agg(pa.worker) from participant pa
                join worker w on w.organisation = pa.organisation and w.id = pa.worker and w.kind = 'ai' and w.dismissed_at is null
              where pa.organisation = i.organisation and pa.thread = h.id) as participants,
             (select jsonb_agg(distinct x.binding) from thread_binding x
              where x.organisation = i.organisation and x.thread = h.id) as bindings
           from thread h where h.organisation = i.organisation and h.id = wanted.id and h.stream = i.stream
         ) t on true) as resolved
     from json_to_recordset($1::json) i(n int, organisation text, stream text, thread text, binding text, place text, scope text, receipts json,
       addressed json)
     order by i.n`,
    [toJson(asked)],
  );
  return rows.map((row) => row.resolved);
}

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
  return await executor.query<Resolved>(
    `select s.kind as "streamKind", seen.event as seen, t.id as thread, coalesce(t.muted_at is not null, false) as muted,
       coalesce(p.workers, '[]') as participants, coalesce(a.workers, '[]') as addressed,
       coalesce(sub.workers, '[]') as subscribers, d.id as "defaultWorker",
       coalesce(b.bindings, '[]') as bindings
     from json_to_recordset($1::json) i(n int, organisation text, stream text, thread text, binding text, place text, scope text, receipts json,
       addressed json)
     left join stream s on s.organisation = i.organisation and s.id = i.stream
     left join lateral (
       select jsonb_build_object('event', e.id, 'thread', e.thread, 'position', e.position) as event
       from json_array_elements_text(i.receipts) k
         join receipt r on r.organisation = i.organisation and r.binding = i.scope and r.external_id = k
         join event e on e.organisation = r.organisation and e.id = r.event
       limit 1
     ) seen on true
     left join thread_binding tb on i.thread is null and tb.organisation = i.organisation and tb.binding = i.binding and tb.external_id = i.place
     left join thread t on t.organisation = i.organisation and t.id = coalesce(i.thread, tb.thread) and t.stream = i.stream
     left join lateral (
       select jsonb_agg(pa.worker) as workers from participant pa
         join worker w on w.organisation = pa.organisation and w.id = pa.worker and w.kind = 'ai' and w.dismissed_at is null
       where pa.organisation = i.organisation and pa.thread = t.id
     ) p on true
     left join lateral (
       select jsonb_agg(w.id) as workers from json_array_elements_text(i.addressed) x
         join worker w on w.organisation = i.organisation and w.id = x and w.kind = 'ai' and w.dismissed_at is null
     ) a on true
     left join lateral (
       select jsonb_agg(jsonb_build_object('worker', su.worker, 'mode', su.mode)) as workers from subscription su
         join worker w on w.organisation = su.organisation and w.id = su.worker and w.kind = 'ai' and w.dismissed_at is null
       where su.organisation = i.organisation and su.stream = i.stream
     ) sub on true
     left join worker d on d.organisation = s.organisation and d.id = s.default_worker and d.kind = 'ai' and d.dismissed_at is null
     left join lateral (
       select jsonb_agg(distinct x.binding) as bindings from thread_binding x where x.organisation = i.organisation and x.thread = t.id
     ) b on true
     order by i.n`,
    [toJson(asked)],
  );
}

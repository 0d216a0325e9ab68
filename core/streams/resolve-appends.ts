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
  const rows = await executor.query<{ resolved: Resolved }>(
    `select ${factsOf({
      organisation: 'i.organisation',
      stream: 'i.stream',
      thread: `coalesce(i.thread, (select tb.thread from thread_binding tb
        where tb.organisation = i.organisation and tb.binding = i.binding and tb.external_id = i.place))`,
      scope: 'i.scope',
      receipts: 'i.receipts',
      addressed: 'i.addressed',
    })} as resolved
     from json_to_recordset($1::json) i(n int, organisation text, stream text, thread text, binding text, place text, scope text, receipts json,
       addressed json)
     order by i.n`,
    [toJson(asked)],
  );
  return rows.map((row) => row.resolved);
}

/**
 * SQL: the {@link Resolved} of one Message as jsonb; the arguments are SQL expressions. A subquery, where joins would read as well: it is
 * a few probes of indexes, whatever the planner believes of how many messages there are, while joins come to be made by reading the
 * tables whole. For the same reason lists are compared by `= any (array(…))`: a join with them may read all receipts of a place.
 */
export function factsOf(message: {
  organisation: string;
  stream: string;
  thread: string;
  scope: string;
  receipts: string;
  addressed: string;
}): string {
  const { organisation, stream, thread, scope, receipts, addressed } = message;
  const isAgent = (worker: string, id: string) =>
    `${worker}.organisation = ${organisation} and ${worker}.id = ${id} and ${worker}.kind = 'ai' and ${worker}.dismissed_at is null`;
  return `(select jsonb_build_object(
      'streamKind', (select fs.kind from stream fs where fs.organisation = ${organisation} and fs.id = ${stream}),
      'seen', (select jsonb_build_object('event', fe.id, 'thread', fe.thread, 'position', fe.position)
        from receipt fr join event fe on fe.organisation = ${organisation} and fe.id = fr.event
        where fr.organisation = ${organisation} and fr.binding = ${scope}
          and fr.external_id = any (array(select json_array_elements_text(${receipts}))) limit 1),
      'thread', ft.id, 'muted', coalesce(ft.muted_at is not null, false),
      'participants', coalesce((select jsonb_agg(fp.worker) from participant fp join worker fw on ${isAgent('fw', 'fp.worker')}
        where fp.organisation = ${organisation} and fp.thread = ft.id), '[]'),
      'addressed', coalesce((select jsonb_agg(fw.id) from worker fw
        where ${isAgent('fw', `any (array(select json_array_elements_text(${addressed})))`)}), '[]'),
      'subscribers', coalesce((select jsonb_agg(jsonb_build_object('worker', fu.worker, 'mode', fu.mode))
        from subscription fu join worker fw on ${isAgent('fw', 'fu.worker')}
        where fu.organisation = ${organisation} and fu.stream = ${stream}), '[]'),
      'defaultWorker', (select fw.id from stream fs join worker fw on ${isAgent('fw', 'fs.default_worker')}
        where fs.organisation = ${organisation} and fs.id = ${stream}),
      'bindings', coalesce((select jsonb_agg(distinct fb.binding) from thread_binding fb
        where fb.organisation = ${organisation} and fb.thread = ft.id), '[]'))
    from (select ${thread} as id) wanted
      left join thread ft on ft.organisation = ${organisation} and ft.id = wanted.id and ft.stream = ${stream})`;
}

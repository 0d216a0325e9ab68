import type { Executor, Statement } from '../store/database.ts';
import { type EventId, newId, type ThreadId, type WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { type Appended, type AppendInput, coreScope, type StreamKind } from './append-input.ts';
import type { Resolved } from './resolve-appends.ts';

/** A Message whose Stream is known and of which it has been decided whom it wakes. */
export interface PlannedAppend {
  input: AppendInput;
  streamKind: StreamKind;
  resolved: Resolved;
  wake: WorkerId[];
}

/**
 * Writes Messages by one statement: receipts, Events, Triggers, Deliveries, Lanes, and the Threads that are new. The rows of the
 * Streams are locked first, in the order of their ids; every other row depends on them.
 *
 * @throws a unique violation when one of the receipts or new Threads exists by now: then nothing of all of them was written.
 */
export async function writeAppends(executor: Executor, planned: readonly PlannedAppend[]): Promise<Appended[]> {
  const write = prepareWrite(planned);
  return write.appended(await executor.query<Written>(...write.statement));
}

/** A row of what {@link prepareWrite}'s statement answers with. */
export interface Written {
  n: number;
  position: number;
}

/**
 * The statement of {@link writeAppends}, for a caller that sends it with others, and what its rows say. A draft is looked for so that it is
 * found by its Activation, and not among all Deliveries that are open (docs/decisions/2026-11-22-plans-of-empty-tables.md).
 */
export function prepareWrite(planned: readonly PlannedAppend[]): {
  statement: Statement;
  /** Their ids, in order. */
  events: EventId[];
  appended(written: readonly Written[]): Appended[];
} {
  const rows = planned.map(rowOf);
  const statement: Statement = [
    `with i as materialized (
       select * from json_to_recordset($1::json) x(n int, organisation text, stream text, event text, thread text, "newThread" boolean,
         "placeBinding" text, place text, scope text, author text, "sourceKind" text, hops int, origin text, "from" text, "to" jsonb,
         subject text, body text, attachments jsonb, "inReplyTo" text, "messageId" text, extra jsonb, "cameBy" text, activation text,
         receipts json, participants json, wake json, deliveries json, "finishesDrafts" boolean)
     ), wanted as materialized (
       select organisation, stream, count(*)::int as events from i group by organisation, stream
     ), locked as materialized (
       select s.organisation, s.id, w.events from stream s join wanted w on w.organisation = s.organisation and w.stream = s.id
       where s.organisation = any (array (select organisation from wanted)) and s.id = any (array (select stream from wanted))
       order by s.organisation, s.id for update of s
     ), s as (
       update stream set position = stream.position + l.events from locked l
       where stream.organisation = l.organisation and stream.id = l.id
       returning stream.organisation, stream.id, stream.position - l.events as before
     ), e as materialized (
       select i.*, s.before + (row_number() over (partition by i.organisation, i.stream order by i.n))::int as position
       from i join s on s.organisation = i.organisation and s.id = i.stream
     ), new_thread as (
       insert into thread (organisation, id, stream, subject) select organisation, thread, stream, subject from e where "newThread"
     ), new_place as (
       insert into thread_binding (organisation, binding, external_id, thread)
       select organisation, "placeBinding", place, thread from e where "newThread" and "placeBinding" is not null
     ), r as (
       insert into receipt (organisation, binding, external_id, event)
       select e.organisation, e.scope, k, e.event from e, json_array_elements_text(e.receipts) k
     ), ev as (
       insert into event (organisation, id, stream, position, thread, author, source_kind, hops, origin, "from", "to", subject,
                          body, attachments, in_reply_to, message_id, extra, came_by, activation)
       select organisation, event, stream, position, thread, author, "sourceKind", hops, origin, "from", "to", subject,
              body, attachments, "inReplyTo", "messageId", extra, "cameBy", activation from e
     ), p as (
       insert into participant (organisation, thread, worker)
       select distinct e.organisation, e.thread, w from e, json_array_elements_text(e.participants) w on conflict do nothing
     ), t as (
       insert into trigger (organisation, event, worker, thread, position)
       select e.organisation, e.event, w, e.thread, e.position from e, json_array_elements_text(e.wake) w
     ), d as (
       insert into delivery (organisation, id, binding, thread, event, activation, position)
       select e.organisation, x.id, x.binding, e.thread, e.event, e.activation, e.position
       from e, json_to_recordset(e.deliveries) x(id text, binding text)
       where not (e."finishesDrafts" and (select true from delivery drafted where drafted.organisation = e.organisation
         and drafted.activation = e.activation and drafted.binding = x.binding and coalesce(drafted.state = 'draft', false) limit 1) is true)
     ), l as (
       insert into lane (organisation, kind, owner, thread, ready_at)
       select organisation, kind, owner, thread, now() from (
         select e.organisation, 'activation' as kind, w as owner, e.thread from e, json_array_elements_text(e.wake) w
         union select e.organisation, 'delivery', x.binding, e.thread from e, json_to_recordset(e.deliveries) x(binding text)
       ) x order by organisation, kind, owner, thread
       on conflict (organisation, kind, owner, thread) do update set ready_at = coalesce(lane.ready_at, now())
     )
     select n, position from e order by n`,
    [toJson(rows)],
  ];
  return {
    statement,
    events: rows.map(({ event }) => event),
    appended(written) {
      if (written.length !== planned.length) throw new Error('a stream vanished while a message was appended to it');
      return planned.map((plan, n) => ({
        event: rows[n]?.event as EventId,
        stream: plan.input.stream,
        streamKind: plan.streamKind,
        thread: rows[n]?.thread as ThreadId,
        position: written[n]?.position ?? 0,
        duplicate: false,
        woken: plan.wake,
        deliveries: rows[n]?.deliveries ?? [],
      }));
    },
  };
}

function rowOf({ input, resolved, wake }: PlannedAppend, n: number) {
  const event = newId('e');
  const bindings = new Set(resolved.bindings);
  if (!resolved.thread && input.threadPlace) bindings.add(input.threadPlace.binding);
  if (input.cameBy) bindings.delete(input.cameBy);
  for (const binding of input.drafted ?? []) bindings.delete(binding);
  const participants = new Set<WorkerId>([...(input.addressed ?? []), ...(input.participants ?? [])]);
  if (input.author) participants.add(input.author);
  const { message } = input;
  return {
    n,
    organisation: input.organisation,
    stream: input.stream,
    event,
    thread: resolved.thread ?? newId('t'),
    newThread: resolved.thread === null,
    placeBinding: input.threadPlace?.binding ?? null,
    place: input.threadPlace?.externalId ?? null,
    scope: input.cameBy ?? coreScope,
    author: input.author,
    sourceKind: input.sourceKind,
    hops: input.hops ?? 0,
    origin: input.origin ?? event,
    from: message.from ?? input.author ?? '',
    to: message.to ?? [],
    subject: message.subject ?? '',
    body: message.body,
    attachments: message.attachments ?? [],
    inReplyTo: message.inReplyTo ?? null,
    messageId: message.messageId ?? null,
    extra: message.extra ?? {},
    cameBy: input.cameBy ?? null,
    activation: input.activation ?? null,
    finishesDrafts: input.finishesDrafts ?? false,
    receipts: [...new Set(input.receipts ?? [])],
    participants: [...participants].sort(),
    wake,
    deliveries: [...bindings].sort().map((binding) => ({ id: newId('d'), binding })),
  };
}

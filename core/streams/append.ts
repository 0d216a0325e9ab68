import type { Core } from '../core.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import { type Executor, isUniqueViolation } from '../store/database.ts';
import {
  type ActivationId,
  type BindingId,
  type DeliveryId,
  type EventId,
  newId,
  type OrganisationId,
  type StreamId,
  type ThreadId,
  type WorkerId,
} from '../store/ids.ts';
import { decideWhoWakes } from './decide-who-wakes.ts';
import type { Message, SourceKind } from './message.ts';

/** The scope of receipts for what the core itself says once, such as the notice of the hop limit. */
export const coreScope = 'core';

/** A Message on its way into a Stream. */
export interface AppendInput {
  organisation: OrganisationId;
  stream: StreamId;
  /** The Thread it belongs to; without it, the one at `threadPlace`; without either (or the place unknown), a new one. */
  thread?: ThreadId;
  /** The Thread's place outside. A Thread that is made gets it, a Thread that exists is found by it. */
  threadPlace?: { binding: BindingId; externalId: string };
  /** Who wrote it; null for a feed, a timer or the core. */
  author: WorkerId | null;
  sourceKind: SourceKind;
  message: Partial<Message> & Pick<Message, 'body'>;
  /** The Binding it came by: it is not sent back there. */
  cameBy?: BindingId;
  /** What the platform calls it: any of these seen before makes it a duplicate. Scoped to `cameBy`, else to the core. */
  receipts?: readonly string[];
  addressed?: readonly WorkerId[];
  addressedByName?: boolean;
  /** Stored and delivered, but wakes nobody. */
  silent?: boolean;
  hops?: number;
  origin?: EventId;
  activation?: ActivationId;
  /** Others who take part in the Thread from now on: a DM's other side. */
  participants?: readonly WorkerId[];
  /** Bindings that already show this Event as a draft: no second Delivery is made for them. */
  drafted?: readonly BindingId[];
}

/** What became of a Message. For a duplicate: the Event it led to the first time, nothing woken, nothing delivered again. */
export interface Appended {
  event: EventId;
  stream: StreamId;
  streamKind: StreamKind;
  thread: ThreadId;
  position: number;
  duplicate: boolean;
  woken: WorkerId[];
  deliveries: { id: DeliveryId; binding: BindingId }[];
}

type StreamKind = 'channel' | 'mail' | 'dm' | 'activation';

interface Resolved {
  streamKind: StreamKind | null;
  seen: { event: EventId; thread: ThreadId; position: number } | null;
  thread: ThreadId | null;
  muted: boolean;
  participants: WorkerId[];
  subscribers: { worker: WorkerId; mode: 'all' | 'mentions' }[];
  defaultWorker: WorkerId | null;
  bindings: BindingId[];
}

const attempts = 5;

/**
 * The only way into a Stream. Receipt, Event, Triggers and Deliveries are written by one statement; when this returns they are
 * committed, and the dispatcher and the outbox have been told. Two appends of one external id give one Event.
 *
 * @throws NotFoundError when the Stream or the Thread is unknown, UnavailableError when the database is away: then nothing was
 * accepted.
 */
export async function append(
  core: Pick<Core, 'database' | 'waking' | 'metrics'>,
  input: AppendInput,
): Promise<Appended> {
  for (let attempt = 1; ; attempt++) {
    try {
      const appended =
        (input.hops ?? 0) === 0
          ? await appendWithin(core.database, input)
          : await core.database.transaction((tx) => appendWithin(tx, input));
      core.waking.announce();
      if (!appended.duplicate) {
        core.metrics.eventAppended(appended.streamKind, input.sourceKind);
        core.metrics.triggersWritten(appended.woken.length);
      }
      return appended;
    } catch (error) {
      // Somebody else entered the same receipt, or made the same Thread, since we looked: look again.
      if (!isUniqueViolation(error) || attempt === attempts) throw error;
    }
  }
}

/**
 * {@link append} inside the caller's transaction; the caller announces after its commit. A unique violation (the same external
 * id at the same moment) is thrown and has ended the transaction.
 */
export async function appendWithin(tx: Executor, input: AppendInput): Promise<Appended> {
  const resolved = await resolve(tx, input);
  if (resolved.streamKind === null) throw new NotFoundError(`unknown stream "${input.stream}"`);
  if (resolved.streamKind === 'activation')
    throw new InvalidInputError(
      `"${input.stream}" is the transcript of a worker's activations: it can be read, not written`,
    );
  if (resolved.seen) return await duplicateOf(tx, input, resolved.streamKind, resolved.seen);
  if (input.thread && !resolved.thread)
    throw new NotFoundError(`unknown thread "${input.thread}" in stream "${input.stream}"`);

  const decision = decideWhoWakes({
    sourceKind: input.sourceKind,
    author: input.author,
    hops: input.hops ?? 0,
    addressed: input.addressed ?? [],
    addressedByName: input.addressedByName ?? false,
    silent: (input.silent ?? false) || resolved.muted,
    subscribers: resolved.subscribers,
    participants: resolved.participants,
    defaultWorker: resolved.defaultWorker,
  });
  const appended = await write(tx, input, resolved.streamKind, resolved, decision.wake);
  if (decision.hopLimitReached) await tellHopLimit(tx, input, appended);
  return appended;
}

/** Everything that the decision and the write need, in one round trip. */
async function resolve(tx: Executor, input: AppendInput): Promise<Resolved> {
  const rows = await tx.query<Resolved>(
    `with place as (
       select coalesce($3, (select thread from thread_binding where organisation = $1 and binding = $4 and external_id = $5)) as id
     ), known as (
       select t.id, t.muted_at is not null as muted from thread t, place
       where t.organisation = $1 and t.id = place.id and t.stream = $2
     )
     select
       (select kind from stream where organisation = $1 and id = $2) as "streamKind",
       (select jsonb_build_object('event', e.id, 'thread', e.thread, 'position', e.position)
          from receipt r join event e on e.organisation = r.organisation and e.id = r.event
         where r.organisation = $1 and r.binding = $6 and r.external_id = any($7::text[]) limit 1) as seen,
       (select id from known) as thread,
       coalesce((select muted from known), false) as muted,
       (select coalesce(jsonb_agg(p.worker), '[]') from participant p
          join worker w on w.organisation = p.organisation and w.id = p.worker and w.kind = 'ai' and w.dismissed_at is null
         where p.organisation = $1 and p.thread = (select id from known)) as participants,
       (select coalesce(jsonb_agg(jsonb_build_object('worker', s.worker, 'mode', s.mode)), '[]') from subscription s
          join worker w on w.organisation = s.organisation and w.id = s.worker and w.kind = 'ai' and w.dismissed_at is null
         where s.organisation = $1 and s.stream = $2) as subscribers,
       (select w.id from stream s
          join worker w on w.organisation = s.organisation and w.id = s.default_worker and w.kind = 'ai' and w.dismissed_at is null
         where s.organisation = $1 and s.id = $2) as "defaultWorker",
       (select coalesce(jsonb_agg(distinct binding), '[]') from thread_binding
         where organisation = $1 and thread = (select id from known)) as bindings`,
    [
      input.organisation,
      input.stream,
      input.thread ?? null,
      input.threadPlace?.binding ?? null,
      input.threadPlace?.externalId ?? null,
      input.cameBy ?? coreScope,
      input.receipts ?? [],
    ],
  );
  const [resolved] = rows;
  if (!resolved) throw new Error('resolve: the query always gives one row');
  return resolved;
}

/** Enters the keys not seen yet, so that every name of the platform leads to the one Event. */
async function duplicateOf(
  tx: Executor,
  input: AppendInput,
  streamKind: StreamKind,
  seen: NonNullable<Resolved['seen']>,
): Promise<Appended> {
  await tx.query(
    `insert into receipt (organisation, binding, external_id, event) select $1, $2, unnest($3::text[]), $4 on conflict do nothing`,
    [input.organisation, input.cameBy ?? coreScope, input.receipts ?? [], seen.event],
  );
  return { ...seen, stream: input.stream, streamKind, duplicate: true, woken: [], deliveries: [] };
}

/** One statement: the Stream's row is locked first, and every other row depends on it. */
async function write(
  tx: Executor,
  input: AppendInput,
  streamKind: StreamKind,
  resolved: Resolved,
  wake: WorkerId[],
): Promise<Appended> {
  const event = newId('e');
  const thread = resolved.thread ?? newId('t');
  const bindings = new Set(resolved.bindings);
  if (!resolved.thread && input.threadPlace) bindings.add(input.threadPlace.binding);
  if (input.cameBy) bindings.delete(input.cameBy);
  for (const binding of input.drafted ?? []) bindings.delete(binding);
  const deliveries = [...bindings].sort().map((binding) => ({ id: newId('d'), binding }));
  const participants = new Set<WorkerId>([...(input.addressed ?? []), ...(input.participants ?? [])]);
  if (input.author) participants.add(input.author);
  const message = input.message;

  const rows = await tx.query<{ position: number }>(
    `with s as (
       update stream set position = position + 1 where organisation = $1 and id = $2 returning position
     ), new_thread as (
       insert into thread (organisation, id, stream, subject) select $1, $3, $2, $4 from s where $5
     ), new_place as (
       insert into thread_binding (organisation, binding, external_id, thread)
       select $1, $6, $7, $3 from s where $5 and $6::text is not null
     ), r as (
       insert into receipt (organisation, binding, external_id, event) select $1, $8, k, $9 from s, unnest($10::text[]) k
     ), e as (
       insert into event (organisation, id, stream, position, thread, author, source_kind, hops, origin, "from", "to", subject,
                          body, attachments, in_reply_to, message_id, extra, came_by, activation)
       select $1, $9, $2, s.position, $3, $11, $12, $13, $14, $15, $16::jsonb, $4, $17, $18::jsonb, $19, $20, $21::jsonb, $22, $23
       from s
     ), p as (
       insert into participant (organisation, thread, worker) select $1, $3, w from s, unnest($24::text[]) w on conflict do nothing
     ), t as (
       insert into trigger (organisation, event, worker, thread, position)
       select $1, $9, w, $3, s.position from s, unnest($25::text[]) w
     ), d as (
       insert into delivery (organisation, id, binding, thread, event, activation, position)
       select $1, x.id, x.binding, $3, $9, $23, s.position from s, unnest($26::text[], $27::text[]) x(id, binding)
     ), l as (
       insert into lane (organisation, kind, owner, thread, ready_at)
       select $1, x.kind, x.owner, $3, now() from (
         select 'activation' as kind, w as owner from s, unnest($25::text[]) w
         union all select 'delivery', b from s, unnest($27::text[]) b
       ) x
       on conflict (organisation, kind, owner, thread) do update set ready_at = coalesce(lane.ready_at, now())
     )
     select position from s`,
    [
      input.organisation,
      input.stream,
      thread,
      message.subject ?? '',
      resolved.thread === null,
      input.threadPlace?.binding ?? null,
      input.threadPlace?.externalId ?? null,
      input.cameBy ?? coreScope,
      event,
      input.receipts ?? [],
      input.author,
      input.sourceKind,
      input.hops ?? 0,
      input.origin ?? event,
      message.from ?? input.author ?? '',
      JSON.stringify(message.to ?? []),
      withoutNul(message.body),
      JSON.stringify(message.attachments ?? []),
      message.inReplyTo ?? null,
      message.messageId ?? null,
      JSON.stringify(message.extra ?? {}),
      input.cameBy ?? null,
      input.activation ?? null,
      [...participants],
      wake,
      deliveries.map((delivery) => delivery.id),
      deliveries.map((delivery) => delivery.binding),
    ],
  );
  const [row] = rows;
  if (!row) throw new NotFoundError(`unknown stream "${input.stream}"`);
  return {
    event,
    stream: input.stream,
    streamKind,
    thread,
    position: row.position,
    duplicate: false,
    woken: wake,
    deliveries,
  };
}

/** PostgreSQL text holds no NUL. */
function withoutNul(text: string): string {
  return text.replaceAll('\u0000', '');
}

/** Once for each originating Event. */
async function tellHopLimit(tx: Executor, input: AppendInput, appended: Appended): Promise<void> {
  await appendWithin(tx, {
    organisation: input.organisation,
    stream: input.stream,
    thread: appended.thread,
    author: null,
    sourceKind: 'notice',
    message: {
      body: 'The agents have answered one another often enough: I have stopped them here. Say something, and they go on.',
    },
    receipts: [`hop-limit:${input.origin ?? appended.event}`],
  });
}

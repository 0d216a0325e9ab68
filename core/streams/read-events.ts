import { ForbiddenError, NotFoundError } from '../errors.ts';
import type { Executor } from '../store/database.ts';
import type { EventId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { type EventCursor, encodeCursor, type Positions } from './event-cursor.ts';
import type { Attachment, SourceKind } from './message.ts';
import { getStream } from './streams.ts';
import { readableBy } from './who-may-read.ts';

/** What to read, and for whom. */
export interface ReadRequest {
  /** Everybody who will see what is read. The first is the Worker that asks: of all Streams, its own are read. */
  readers: readonly WorkerId[];
  stream?: StreamId | undefined;
  thread?: ThreadId | undefined;
  /** Without one: the newest. */
  cursor?: EventCursor | undefined;
  limit: number;
  /** At most so many characters a page (but always one Event), and so many of one body. */
  characters: number;
}

/** An Event as a reader sees it. */
export interface SeenEvent {
  id: EventId;
  stream: StreamId;
  position: number;
  thread: ThreadId;
  author: WorkerId | null;
  authorName: string | null;
  sourceKind: SourceKind;
  at: string;
  from: string;
  to: string[];
  subject: string;
  body: string;
  attachments: Attachment[];
  inReplyTo: string | null;
  messageId: string | null;
  edited?: true;
  deleted?: true;
  /** The body goes on: say this as `since`. */
  rest?: string;
}

/** Some Events, oldest first. */
export interface EventPage {
  /** Where to go on from the last of them. */
  cursor: string;
  /** The page before, when there is one and the newest were read. */
  earlier?: string;
  /** There are more right after these. */
  more: boolean;
  events: SeenEvent[];
}

/** What an Event takes besides its body and subject, about. */
const overhead = 300;

/**
 * Reads Events that every one of `readers` may read (design rule 12), a page at a time, in the order of their Streams' positions.
 * Transcripts (kind `activation`) are not among them: read-transcript.ts.
 *
 * @throws NotFoundError when the Stream or Thread is unknown or hidden, ForbiddenError when somebody is not subscribed.
 */
export async function readEvents(
  executor: Executor,
  organisation: OrganisationId,
  request: ReadRequest,
): Promise<EventPage> {
  const { cursor } = request;
  if (cursor?.kind === 'rest') return await readRest(executor, organisation, request, cursor);
  const stream = await streamOf(executor, organisation, request);
  const found = await select(executor, organisation, request, stream, cursor);
  return pageOf(found, cursor);
}

/** The one Stream that is meant, if any, after a look whether it may be read at all. */
async function streamOf(
  executor: Executor,
  organisation: OrganisationId,
  request: ReadRequest,
): Promise<StreamId | null> {
  const { readers, thread } = request;
  let stream = request.stream ?? null;
  if (thread) {
    const [row] = await executor.query<{ stream: StreamId }>(
      `select t.stream from (select organisation, id as thread, stream from thread) t
       where t.organisation = $1 and t.thread = $2 and ($4::text is null or t.stream = $4) and ${readableBy('t', '$3')}`,
      [organisation, thread, readers, stream],
    );
    if (!row) throw new NotFoundError(`unknown thread "${thread}"`);
    stream = row.stream;
  } else if (stream) {
    const { kind } = await getStream(executor, organisation, readers, stream);
    if (kind === 'channel') await requireSubscribed(executor, organisation, readers, stream);
  }
  return stream;
}

async function requireSubscribed(
  executor: Executor,
  organisation: OrganisationId,
  readers: readonly WorkerId[],
  stream: StreamId,
): Promise<void> {
  const missing = await executor.query<{ id: WorkerId }>(
    `select r.id from unnest($2::text[]) r(id) where not exists (
       select 1 from subscription b where b.organisation = $1 and b.worker = r.id and b.stream = $3)`,
    [organisation, readers, stream],
  );
  if (missing.length === 0) return;
  const [asker] = readers;
  throw new ForbiddenError(
    missing.some((reader) => reader.id === asker)
      ? `you are not subscribed to "${stream}": subscribe to it, or be invited`
      : `not everybody who reads your answer is subscribed to "${stream}" (${missing.map((reader) => reader.id).join(', ')}): it cannot be shown here`,
  );
}

interface Found {
  /** The last position of each Stream that was looked at. */
  tops: Positions;
  total: number;
  events: (SeenEvent & { length: number })[];
}

async function select(
  executor: Executor,
  organisation: OrganisationId,
  request: ReadRequest,
  stream: StreamId | null,
  cursor: Exclude<EventCursor, { kind: 'rest' }> | undefined,
): Promise<Found> {
  const forward = cursor?.kind === 'after';
  // Without a cursor the newest are read: from above the top, backwards.
  const inRange = forward
    ? 'e.position > coalesce(c.bound, 0)'
    : `e.position < ${cursor ? 'coalesce(c.bound, 0)' : 'c.top + 1'}`;
  const direction = forward ? '' : 'desc';
  const wanted = `e.organisation = $1 and e.stream = c.id and ${inRange} and ($4::text is null or e.thread = $4)
    and ${readableBy('e', '$2')} order by e.position ${direction} limit $6::int + 1`;
  const [found] = await executor.query<Found>(
    `with chosen as (
       select s.id, s.kind, s.position as top, ($5::jsonb->>s.id)::int as bound from stream s
       where s.organisation = $1 and s.kind <> 'activation' and ($3::text is null or s.id = $3) and (
         exists (select 1 from subscription b where b.organisation = $1 and b.stream = s.id and b.worker = $7)
         or exists (select 1 from participant p join thread t on t.organisation = p.organisation and t.id = p.thread
                    where p.organisation = $1 and p.worker = $7 and t.stream = s.id))
     ), candidate as (
       select e.* from chosen c cross join lateral (
         (select e.* from event e where c.kind = 'channel' and ${wanted})
         union all
         (select e.* from participant p join event e on e.organisation = p.organisation and e.thread = p.thread
          where c.kind in ('mail', 'dm') and p.organisation = $1 and p.worker = $7 and ${wanted})
       ) e
     ), timed as (
       -- Within a Stream the position decides; the time only says how Streams interleave, so it must never run against it.
       select candidate.*, ${forward ? 'max' : 'min'}(created_at) over (partition by stream order by position ${direction}) as time
       from candidate
     ), numbered as (
       select timed.*, row_number() over w as n, sum(least(length(body), $8::int) + length(subject) + ${overhead}) over w as size
       from timed window w as (order by time ${direction}, stream ${direction}, position ${direction})
     ), page as (
       select * from numbered where n <= $6::int and (n = 1 or size <= $8::int)
     )
     select
       (select coalesce(jsonb_object_agg(id, top), '{}') from chosen) as tops,
       (select count(*) from numbered) as total,
       (select coalesce(jsonb_agg(${seenEvent('e', 'left(e.body, $8::int)')} order by n ${direction}), '[]')
          from page e left join worker w on w.organisation = e.organisation and w.id = e.author) as events`,
    [
      organisation,
      request.readers,
      stream,
      request.thread ?? null,
      JSON.stringify(cursor?.positions ?? {}),
      request.limit,
      request.readers[0] ?? null,
      request.characters,
    ],
  );
  if (!found) throw new Error('readEvents: the query always gives one row');
  return found;
}

/** A {@link SeenEvent} as SQL, from an alias of `event` and `w`, its author. */
function seenEvent(event: string, body: string): string {
  const e = event;
  return `jsonb_strip_nulls(jsonb_build_object('edited', case when ${e}.edited_at is not null then true end,
      'deleted', case when ${e}.deleted_at is not null then true end))
    || jsonb_build_object('id', ${e}.id, 'stream', ${e}.stream, 'position', ${e}.position, 'thread', ${e}.thread,
      'author', ${e}.author, 'authorName', w.name, 'sourceKind', ${e}.source_kind, 'at', ${e}.created_at,
      'from', ${e}."from", 'to', ${e}."to", 'subject', ${e}.subject, 'body', ${body}, 'length', length(${e}.body),
      'attachments', ${e}.attachments, 'inReplyTo', ${e}.in_reply_to, 'messageId', ${e}.message_id)`;
}

function pageOf(found: Found, cursor: Exclude<EventCursor, { kind: 'rest' }> | undefined): EventPage {
  const { tops, total } = found;
  const events = found.events.map((event) => withRest(event, 0));
  const cut = total > events.length;
  if (cursor?.kind === 'after') {
    const positions = { ...cursor.positions, ...(cut ? lastOf(events) : tops) };
    return { cursor: encodeCursor({ kind: 'after', positions }), more: cut, events };
  }
  const bounds = cursor?.positions ?? mapValues(tops, (top) => top + 1);
  const earlier = encodeCursor({ kind: 'before', positions: { ...bounds, ...firstOf(events) } });
  return {
    cursor: encodeCursor({ kind: 'after', positions: mapValues(bounds, (bound) => Math.max(bound - 1, 0)) }),
    ...(cut ? { earlier } : {}),
    more: cursor !== undefined,
    events,
  };
}

/** The part of a long Event's body that begins at the cursor. */
async function readRest(
  executor: Executor,
  organisation: OrganisationId,
  request: ReadRequest,
  cursor: Extract<EventCursor, { kind: 'rest' }>,
): Promise<EventPage> {
  const [row] = await executor.query<{ event: SeenEvent & { length: number } }>(
    `select ${seenEvent('e', 'substr(e.body, $4::int + 1, $5::int)')} as event
     from event e left join worker w on w.organisation = e.organisation and w.id = e.author
     where e.organisation = $1 and e.id = $3 and ${readableBy('e', '$2')}`,
    [organisation, request.readers, cursor.event, cursor.offset, request.characters],
  );
  if (!row) throw new NotFoundError(`unknown event "${cursor.event}"`);
  const event = withRest(row.event, cursor.offset);
  const after = encodeCursor({ kind: 'after', positions: { [event.stream]: event.position } });
  return { cursor: event.rest ?? after, more: event.rest !== undefined, events: [event] };
}

/** SQL counts code points, as `offset` does: a body that was cut says where it goes on. */
function withRest({ length, ...event }: SeenEvent & { length: number }, offset: number): SeenEvent {
  const end = offset + [...event.body].length;
  return end < length ? { ...event, rest: encodeCursor({ kind: 'rest', event: event.id, offset: end }) } : event;
}

function lastOf(events: readonly SeenEvent[]): Positions {
  return Object.fromEntries(events.map((event) => [event.stream, event.position]));
}

function firstOf(events: readonly SeenEvent[]): Positions {
  return lastOf(events.toReversed());
}

function mapValues(positions: Positions, change: (position: number) => number): Positions {
  return Object.fromEntries(Object.entries(positions).map(([stream, position]) => [stream, change(position)]));
}

import type { Executor } from '../../../core/store/database.ts';
import type { ThreadId } from '../../../core/store/ids.ts';
import type { Event } from '../../../core/streams/message.ts';
import { readableBy } from '../../../core/streams/who-may-read.ts';
import type { EventFrame, Work } from '../wire.ts';
import type { Caller } from './authenticate.ts';
import { receiptPrefix } from './post-message.ts';

/** A Thread at one moment. */
export interface ThreadNow {
  /** False when the Worker has been dismissed, or lost the right to read here. */
  mayRead: boolean;
  /** The position of the last Event. */
  upTo: number;
  working: Work[];
  /** The replies being written, as far as they are stored; not those of `known`. */
  drafts: { activation: string; text: string }[];
}

/**
 * What goes on in a Thread, in one statement: so that who works and what was said by then fit together.
 *
 * @param known the Activations whose text the caller has from its own memory
 */
export async function readThreadNow(
  executor: Executor,
  caller: Caller,
  thread: ThreadId,
  known: readonly string[],
): Promise<ThreadNow> {
  const worker = `jsonb_build_object('id', w.id, 'name', w.name)`;
  const [now] = await executor.query<ThreadNow>(
    `with open as (
       select a.id, a.worker, a.state, a.error, a.text, a.created_at from activation a
       where a.organisation = $1 and a.thread = $2 and a.state in ('running', 'waiting')
     ), queued as (
       select t.worker, min(t.position) as position from trigger t
       where t.organisation = $1 and t.thread = $2 and t.state = 'waiting' group by t.worker
     )
     select
       exists (select 1 from worker w where w.organisation = $1 and w.id = $3 and w.dismissed_at is null)
         and exists (select 1 from (select organisation, id as thread, stream from thread) t
                     where t.organisation = $1 and t.thread = $2 and ${readableBy('t', 'array[$3]')}) as "mayRead",
       (select coalesce(max(e.position), 0) from event e where e.organisation = $1 and e.thread = $2) as "upTo",
       (select coalesce(jsonb_agg(jsonb_build_object('worker', ${worker}, 'activation', o.id, 'state', o.state,
            'reason', case when o.state = 'waiting' then o.error end) order by o.created_at, o.id), '[]')
          from open o join worker w on w.organisation = $1 and w.id = o.worker)
       || (select coalesce(jsonb_agg(jsonb_build_object('worker', ${worker}, 'activation', null, 'state', 'queued',
            'reason', null) order by q.position), '[]')
          from queued q join worker w on w.organisation = $1 and w.id = q.worker
          where not exists (select 1 from open o where o.worker = q.worker)) as working,
       (select coalesce(jsonb_agg(jsonb_build_object('activation', o.id, 'text', o.text)), '[]')
          from open o where o.text <> '' and o.id <> all($4::text[])) as drafts`,
    [caller.organisation, thread, caller.worker, known],
  );
  if (!now) throw new Error('readThreadNow: the query always gives one row');
  return now;
}

const pageSize = 100;

/** The links to a Desktop or a file work for a day (core/desktops/viewer-links.ts): what was shown longer ago is not shown again. */
const shownForHours = 24;

/** An Event of a Thread; `extra` and `attachments` hold what it shows besides its words, as long as that can be shown. */
export type ReadEvent = EventFrame & Pick<Event, 'extra' | 'attachments'>;

/** The Events of a Thread after one position and up to another, in order, read a page at a time. */
export async function* readEventsBetween(
  executor: Executor,
  caller: Caller,
  thread: ThreadId,
  after: number,
  upTo: number,
): AsyncGenerator<ReadEvent> {
  const prefix = receiptPrefix(caller);
  for (let from = after; from < upTo; ) {
    const page = await executor.query<ReadEvent>(
      `select 'event' as kind, e.id, e.position, e.source_kind as "sourceKind", e.body, e.activation,
         e.extra->>'answers' as answers,
         case when e.source_kind = 'notice' and e.created_at > now() - interval '${shownForHours} hours'
           then e.extra else '{}' end as extra,
         case when e.created_at > now() - interval '${shownForHours} hours' then e.attachments else '[]' end as attachments,
         case when w.id is not null then jsonb_build_object('id', w.id, 'name', w.name) end as author,
         (select substr(r.external_id, length($5) + 1) from receipt r
          where r.organisation = e.organisation and r.event = e.id and starts_with(r.external_id, $5) limit 1) as "sentAs"
       from event e left join worker w on w.organisation = e.organisation and w.id = e.author
       where e.organisation = $1 and e.thread = $2 and e.position > $3 and e.position <= $4
       order by e.position limit ${pageSize}`,
      [caller.organisation, thread, from, upTo, prefix],
    );
    yield* page;
    if (page.length < pageSize) return;
    from = page.at(-1)?.position ?? upTo;
  }
}

/** No further back than this is looked for what was given up. */
const deadAmong = 200;

/** The Events, of the Thread's last 200, that were given up on. */
export async function readDead(executor: Executor, caller: Caller, thread: ThreadId): Promise<string[]> {
  const rows = await executor.query<{ event: string }>(
    `select distinct g.event from (
       select organisation, id from event where organisation = $1 and thread = $2 order by position desc limit ${deadAmong}) e
       join trigger g on g.organisation = e.organisation and g.event = e.id
     where g.state = 'dead' order by 1`,
    [caller.organisation, thread],
  );
  return rows.map((row) => row.event);
}

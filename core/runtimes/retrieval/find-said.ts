import type { Executor } from '../../store/database.ts';
import type { EventId, OrganisationId, ThreadId, WorkerId } from '../../store/ids.ts';
import { readableBy } from '../../streams/who-may-read.ts';

/** What to look for, and for whom. */
export interface Search {
  organisation: OrganisationId;
  /** Full text queries, one a word. */
  words: readonly string[];
  /** Everybody who will see what is found. Nobody: nothing is found. */
  readers: readonly WorkerId[];
  /** Events that are no answer: the question itself. What says the same word by word isn't one either. */
  except: readonly EventId[];
  limit: number;
}

/** Something that was said, as it is quoted. */
export interface Said {
  id: EventId;
  thread: ThreadId;
  /** The author's name, else the platform's id; empty when nobody wrote it. */
  who: string;
  when: Date;
  subject: string;
  /** The body, or the passages of a long one that hold the words. */
  quote: string;
  /** Set for mail. */
  messageId: string | null;
}

/** A longer body is quoted in passages, in characters. */
const wholeAtMost = 500;

/** So many of the best are looked at for repetitions. */
const candidates = 30;

const headline = 'MaxFragments=2, MaxWords=50, MinWords=20, StartSel="", StopSel="", FragmentDelimiter=" … "';

/**
 * What people and systems have said that fits best: by how many of the words it holds, then by PostgreSQL's rank, then the newest.
 * What holds less than half as many of the words as the best is left out, and so is a repetition. Agents' words are not quoted:
 * they would be answers to earlier questions, quotes of quotes.
 *
 * Who may read is asked (design rule 12) in the order of rank, so that a reader of much is answered as soon as enough is found.
 */
export async function findSaid(executor: Executor, search: Search): Promise<Said[]> {
  if (search.words.length === 0) return [];
  return await executor.query<Said>(
    `with ranked as (
       select e.organisation, e.id, e.stream, e.thread, e.created_at,
         (select count(*) from unnest($3::tsquery[]) word where e.search @@ word) as matched,
         ts_rank(e.search, $2::tsquery) as rank
       from event e
       where e.organisation = $1 and e.search @@ $2::tsquery and e.source_kind in ('human', 'system') and e.deleted_at is null
         and not (e.extra ?| array['command', 'aside']) and e.id <> all($5::text[])
         and not exists (select 1 from event q where q.organisation = $1 and q.id = any($5::text[]) and q.body = e.body)
       order by matched desc, rank desc, e.created_at desc
       -- A fence: the planner must not ask who may read before it has put them in order.
       offset 0
     ), readable as (
       select * from ranked r where ${readableBy('r', '$4')} limit ${candidates}
     ), compared as (
       select r.*, max(matched) over () as best,
         row_number() over (partition by e.body order by matched desc, rank desc, r.created_at desc) as repetition
       from readable r join event e on e.organisation = r.organisation and e.id = r.id
     )
     select e.id, e.thread, coalesce(w.name, e."from") as who, e.created_at as "when", e.subject,
       case when length(e.body) <= ${wholeAtMost} then e.body
         else ts_headline('simple', left(e.body, 100000), $2::tsquery, '${headline}') end as quote,
       case when s.kind = 'mail' then e.message_id end as "messageId"
     from compared c
       join event e on e.organisation = c.organisation and e.id = c.id
       join stream s on s.organisation = c.organisation and s.id = c.stream
       left join worker w on w.organisation = c.organisation and w.id = e.author
     where c.repetition = 1 and c.matched * 2 >= c.best
     order by c.matched desc, c.rank desc, c.created_at desc limit $6`,
    [search.organisation, search.words.join(' | '), search.words, search.readers, search.except, search.limit],
  );
}

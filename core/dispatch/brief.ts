import type { BriefedEvent, Briefing } from '../runtimes/runtime.ts';
import type { Executor } from '../store/database.ts';
import type { WorkerId } from '../store/ids.ts';
import { eventColumns } from '../streams/message.ts';
import { readersOf } from '../streams/who-may-read.ts';
import type { Lane } from './lane.ts';
import { batchBytes, type Taken } from './take-batch.ts';

/** No more Events of a Thread than this are looked at for the history, whatever the budget. */
const historyEvents = 200;
const charactersPerToken = 4;

/** The briefing, and on whose behalf the Worker acts: who wrote the batch, and who began the chain that led to it (null: nobody). */
export interface Brief {
  briefing: Briefing;
  behalf: (WorkerId | null)[];
}

/**
 * Reads what an Activation needs to know, afresh: an edited Role or Identity counts from the next Activation. Every long
 * message is cut to the batch's bound.
 */
export async function brief(executor: Executor, lane: Lane, taken: Taken, historyTokens: number): Promise<Brief> {
  const organisation = lane.organisation;
  const [[about], events, readersOfThread] = await Promise.all([
    executor.query<Pick<Briefing, 'worker' | 'stream' | 'thread'>>(
      `select jsonb_build_object('id', w.id, 'name', w.name, 'identity', w.identity, 'role',
         case when r.id is null then null else jsonb_build_object('title', r.title, 'content', r.content) end) as worker,
       jsonb_build_object('id', s.id, 'name', s.name, 'description', s.description, 'kind', s.kind) as stream,
       jsonb_build_object('id', t.id, 'subject', t.subject) as thread
     from worker w
       join stream s on s.organisation = w.organisation and s.id = $3
       join thread t on t.organisation = w.organisation and t.id = $4
       left join position p on p.organisation = w.organisation and p.id = w.position
       left join role r on r.organisation = w.organisation and r.id = p.role
     where w.organisation = $1 and w.id = $2`,
      [organisation, taken.worker, taken.stream, lane.thread],
    ),
    executor.query<BriefedEvent & { originAuthor: WorkerId | null }>(
      `select ${eventColumns}, coalesce(w.name, '') as "authorName", false as cut,
         (select o.author from event o where o.organisation = e.organisation and o.id = e.origin) as "originAuthor"
       from trigger tr join event e on e.organisation = tr.organisation and e.id = tr.event
         left join worker w on w.organisation = e.organisation and w.id = e.author
       where tr.organisation = $1 and tr.activation = $2 order by e.position`,
      [organisation, taken.id],
    ),
    readersOf(executor, organisation, taken.stream, lane.thread),
  ]);
  if (!about) throw new Error(`activation ${taken.id}: its worker, stream or thread is gone`);
  const batch = events.map(({ originAuthor: _, ...event }) => cutLong(event));
  const first = batch[0];
  const { history, historyCut } = first
    ? await historyBefore(executor, organisation, lane.thread, first.position, historyTokens)
    : { history: [], historyCut: false };

  const authors = new Set(events.flatMap((event) => [event.author, event.originAuthor]));
  authors.delete(taken.worker);
  const behalf = [...authors].sort();
  const people = behalf.filter((author) => author !== null);
  const readers = new Set([...readersOfThread, ...people]);

  return {
    briefing: {
      organisation,
      activation: taken.id,
      ...about,
      batch,
      history,
      historyCut,
      readers: [...readers].sort(),
    },
    behalf,
  };
}

/** What was said before, newest first until the budget is spent, then turned round. Commands and asides are not for the agent. */
async function historyBefore(
  executor: Executor,
  organisation: string,
  thread: string,
  position: number,
  tokens: number,
): Promise<{ history: BriefedEvent[]; historyCut: boolean }> {
  const events = await executor.query<BriefedEvent>(
    `select ${eventColumns}, coalesce(w.name, '') as "authorName", false as cut
     from event e left join worker w on w.organisation = e.organisation and w.id = e.author
     where e.organisation = $1 and e.thread = $2 and e.position < $3 and e.deleted_at is null
       and e.source_kind <> 'notice' and not (e.extra ?| array['command', 'aside'])
     order by e.position desc limit $4`,
    [organisation, thread, position, historyEvents + 1],
  );
  let budget = tokens * charactersPerToken;
  const history: BriefedEvent[] = [];
  for (const event of events.slice(0, historyEvents)) {
    const cut = cutLong(event);
    budget -= cut.body.length + cut.subject.length;
    if (budget < 0) break;
    history.push(cut);
  }
  return { history: history.reverse(), historyCut: history.length < events.length };
}

/** A single message longer than a batch may be is cut; the briefing says how to read the rest. */
function cutLong(event: BriefedEvent): BriefedEvent {
  const bytes = Buffer.byteLength(event.body);
  if (bytes <= batchBytes) return event;
  const body = new TextDecoder().decode(Buffer.from(event.body).subarray(0, batchBytes)).replace(/\uFFFD$/, '');
  return { ...event, body, cut: true };
}

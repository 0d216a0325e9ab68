import { grantsHeld } from '../organisation/grants.ts';
import type { BriefedEvent, Briefing } from '../runtimes/runtime.ts';
import type { Executor, RowsOf, Statements } from '../store/database.ts';
import type { ActivationId, WorkerId } from '../store/ids.ts';
import { eventColumns } from '../streams/message.ts';
import { readersOf } from '../streams/who-may-read.ts';
import type { LaneKey } from './lane.ts';
import { batchBytes, type Taken } from './take-batch.ts';

/** No more Events of a Thread than this are looked at for the history, whatever the budget. */
const historyEvents = 200;
const charactersPerToken = 4;

/**
 * The briefing, and on whose behalf the Worker acts: who wrote the batch, and who began the chain that led to it (null: nobody).
 * `granted`: the tools that it holds.
 */
export interface Brief {
  briefing: Briefing;
  behalf: (WorkerId | null)[];
  granted: string[];
}

type About = Pick<Briefing, 'worker' | 'stream' | 'thread'> & { readersOfThread: WorkerId[]; granted: string[] };
type BatchEvent = BriefedEvent & { originAuthor: WorkerId | null };

type BriefRowTypes = [About, BatchEvent, BriefedEvent];
/** What {@link readBrief} found. */
export type BriefRows = RowsOf<BriefRowTypes>;

function briefStatements(
  { organisation, owner, thread }: LaneKey,
  activation: ActivationId,
): Statements<BriefRowTypes> {
  return [
    [
      `select jsonb_build_object('id', w.id, 'name', w.name, 'identity', w.identity, 'role',
         case when r.id is null then null else jsonb_build_object('title', r.title, 'content', r.content) end) as worker,
       jsonb_build_object('id', s.id, 'name', s.name, 'description', s.description, 'kind', s.kind) as stream,
       jsonb_build_object('id', t.id, 'subject', t.subject) as thread,
       array(${readersOf('$1', '$3')}) as "readersOfThread", array(${grantsHeld('$1', '$2')}) as granted
     from worker w
       join thread t on t.organisation = w.organisation and t.id = $3
       join stream s on s.organisation = w.organisation and s.id = t.stream
       left join position p on p.organisation = w.organisation and p.id = w.position
       left join role r on r.organisation = w.organisation and r.id = p.role
     where w.organisation = $1 and w.id = $2`,
      [organisation, owner, thread],
    ],
    [
      `select ${eventColumns}, coalesce(w.name, '') as "authorName", false as cut,
         (select o.author from event o where o.organisation = e.organisation and o.id = e.origin) as "originAuthor"
       from trigger tr join event e on e.organisation = tr.organisation and e.id = tr.event
         left join worker w on w.organisation = e.organisation and w.id = e.author
       where tr.organisation = $1 and tr.activation = $2 order by e.position`,
      [organisation, activation],
    ],
    // What was said before, newest first. Commands and asides are not for the agent.
    [
      `select ${eventColumns}, coalesce(w.name, '') as "authorName", false as cut
     from event e left join worker w on w.organisation = e.organisation and w.id = e.author
     where e.organisation = $1 and e.thread = $2
       and e.position < (select min(position) from trigger where organisation = $1 and activation = $4) and e.deleted_at is null
       and e.source_kind <> 'notice' and not (e.extra ?| array['command', 'aside'])
     order by e.position desc limit $3`,
      [organisation, thread, historyEvents + 1, activation],
    ],
  ];
}

/**
 * Reads all that an Activation needs to know, afresh: an edited Role or Identity counts from the next Activation. Sent at once, so
 * that it may go in one round trip with the transaction that makes the Activation.
 */
export async function readBrief(executor: Executor, lane: LaneKey, activation: ActivationId): Promise<BriefRows> {
  const rows = briefStatements(lane, activation).map(([text, values]) => executor.query(text, values));
  return (await Promise.all(rows)) as unknown[][] as BriefRows;
}

/** The briefing made of what was read. Every long message is cut to the batch's bound, the history to `historyTokens`. */
export function brief(lane: LaneKey, taken: Taken, rows: BriefRows, historyTokens: number): Brief {
  const [[found], events, before] = rows;
  if (!found) throw new Error(`activation ${taken.id}: its worker, stream or thread is gone`);
  const { readersOfThread, granted, ...about } = found;
  const batch = events.map(({ originAuthor: _, ...event }) => cutLong(event));
  const authors = new Set(events.flatMap((event) => [event.author, event.originAuthor]));
  authors.delete(taken.worker);
  const behalf = [...authors].sort();
  const people = behalf.filter((author) => author !== null);
  const readers = new Set([...readersOfThread, ...people]);
  return {
    briefing: {
      organisation: lane.organisation,
      activation: taken.id,
      ...about,
      batch,
      ...cutHistory(before, historyTokens),
      readers: [...readers].sort(),
    },
    behalf,
    granted,
  };
}

/** The latest of the history within the budget, in the order in which it was said. */
function cutHistory(before: readonly BriefedEvent[], tokens: number): Pick<Briefing, 'history' | 'historyCut'> {
  let budget = tokens * charactersPerToken;
  const history: BriefedEvent[] = [];
  for (const event of before.slice(0, historyEvents)) {
    const cut = cutLong(event);
    budget -= cut.body.length + cut.subject.length;
    if (budget < 0) break;
    history.push(cut);
  }
  return { history: history.reverse(), historyCut: history.length < before.length };
}

/** A single message longer than a batch may be is cut; the briefing says how to read the rest. */
function cutLong(event: BriefedEvent): BriefedEvent {
  const bytes = Buffer.byteLength(event.body);
  if (bytes <= batchBytes) return event;
  const body = new TextDecoder().decode(Buffer.from(event.body).subarray(0, batchBytes)).replace(/\uFFFD$/, '');
  return { ...event, body, cut: true };
}

import type { Core } from '../core.ts';
import { newId } from '../store/ids.ts';
import type { Lane } from './lane.ts';
import type { Taken } from './take-batch.ts';

/** The text of a growing reply is stored at most this often (reference: reads of it need no more). */
const storeMs = 200;
/** A reply is shown while it grows at so many places of its Thread. */
const mostPlaces = 16;

/** Writes a reply down while it grows. */
export interface DraftWriter {
  /** The whole text so far. */
  write(text: string): void;
  /** The last text written. */
  text(): string;
  /** Whether a draft Delivery may have been made. */
  begun(): boolean;
  /** Ends the writing; what is still unwritten is left to the transaction that finishes the Activation. */
  end(): Promise<void>;
}

/**
 * Keeps the reply of an Activation as far as it is written: in memory for those who watch in this process, in the database for the
 * others. Its first visible text makes a draft Delivery for each place of the Thread whose door can edit what it has sent.
 */
export function storeDraft(core: Core, lane: Lane, taken: Taken): DraftWriter {
  let latest = '';
  let stored = '';
  let begun = false;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let storing: Promise<void> = Promise.resolve();

  async function store(): Promise<void> {
    timer = undefined;
    if (latest === stored) return;
    const text = latest;
    const rows = await core.database.query(
      `update activation a set text = $5 from lane l
       where a.organisation = $1 and a.id = $2 and l.organisation = $1 and l.kind = 'activation' and l.owner = $3
         and l.thread = $6 and l.fence = $4 and l.lease_until > clock_timestamp() returning 1`,
      [lane.organisation, taken.id, lane.owner, lane.fence, text.replaceAll('\u0000', ''), lane.thread],
    );
    if (rows.length === 0) return;
    stored = text;
    if (!begun && text.trim() !== '') {
      begun = true;
      await beginDrafts(core, lane, taken);
    }
    core.waking.announce('delivery');
  }

  return {
    write(text) {
      // What a run that was broken off still says: what has begun by now is known to who finishes it.
      if (ended) return;
      latest = text;
      core.drafts.set(taken.id, lane.thread, text);
      timer ??= setTimeout(() => {
        storing = storing.then(store).catch((error: unknown) => {
          // The text stays in memory and the next piece tries again; the finished reply does not depend on it.
          core.log.warn({ activation: taken.id, err: error }, 'a draft could not be stored');
        });
      }, storeMs);
    },
    text: () => latest,
    begun: () => begun,
    async end() {
      ended = true;
      clearTimeout(timer);
      await storing;
      core.drafts.end(taken.id);
    },
  };
}

/**
 * One draft Delivery for each place of the Thread whose door edits; none if an earlier attempt made it, or the Lane is somebody
 * else's by now: its row is locked, so that nobody can end the Activation meanwhile.
 */
async function beginDrafts(core: Core, lane: Lane, taken: Taken): Promise<void> {
  const kinds = [...core.doors.values()].filter((door) => door.drafts).map((door) => door.kind);
  if (kinds.length === 0) return;
  const ids = Array.from({ length: mostPlaces }, () => newId('d'));
  await core.database.query(
    `with held as materialized (
       select 1 from lane where organisation = $1 and kind = 'activation' and owner = $7 and thread = $2 and fence = $8
         and lease_until > clock_timestamp() for update
     ), place as materialized (
       select b.id, row_number() over (order by b.id) as n from binding b
       where b.organisation = $1 and b.kind = any($4::text[]) and exists (select 1 from held)
         and exists (select 1 from thread_binding tb where tb.organisation = $1 and tb.thread = $2 and tb.binding = b.id)
         and not exists (select 1 from delivery d where d.organisation = $1 and d.activation = $3 and d.binding = b.id)
     ), l as (
       insert into lane (organisation, kind, owner, thread, ready_at)
       select $1, 'delivery', id, $2, now() from place where n <= cardinality($5::text[]) order by id
       on conflict (organisation, kind, owner, thread) do update set ready_at = coalesce(lane.ready_at, now())
     )
     insert into delivery (organisation, id, binding, thread, activation, position, state)
     select $1, ($5::text[])[n], id, $2, $3, (select position from stream where organisation = $1 and id = $6), 'draft'
     from place where n <= cardinality($5::text[])`,
    [lane.organisation, lane.thread, taken.id, kinds, ids, taken.stream, lane.owner, lane.fence],
  );
}

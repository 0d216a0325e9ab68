import type { Identity } from '../organisation/identities.ts';
import { batching, oncePer } from '../store/batching.ts';
import type { Database } from '../store/database.ts';
import type { BindingId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { possibleNames, workerNamed } from './address.ts';
import type { FoundFacts } from './append-input.ts';
import { factsOf, type Resolved } from './resolve-appends.ts';

/** A place outside, as its platform names it: (`slack`, `C0123`). */
export interface Place {
  organisation: OrganisationId;
  /** The kind of Binding. */
  kind: string;
  externalId: string;
}

/** A place that a Stream is bound to, and what a door must know before it takes a message from there. */
export interface BoundPlace {
  binding: BindingId;
  stream: StreamId;
  /** Null: none, or not an AI, or dismissed. */
  defaultWorker: WorkerId | null;
  /** Whether the platform has told its name and who may see it. */
  described: boolean;
  /**
   * Who wants everything that is said there (a Subscription with mode `all`): an AI Worker, only people, or nobody. It decides
   * whether a message that addresses nobody is taken at all.
   */
  listeners: 'agents' | 'people' | 'nobody';
  /** The Thread at the place that was asked for; null: there is none. */
  thread: PlacedThread | null;
  /** About the message that was asked with; null: there was none. */
  message: FoundMessage | null;
}

/** A Thread, as found by its place. */
export interface PlacedThread {
  id: ThreadId;
  /** An AI Worker takes part in it, so that what is said there is meant for it without a mention. */
  hasAgent: boolean;
  /** Since its last Event, by the database's clock. */
  idleSeconds: number;
}

/** What is asked of a place. With a message at hand everything is asked that its way into the Stream will need. */
export type AskedPlace = Place & {
  /** The place of a Thread there. */
  threadPlace?: string | undefined;
  message?: { sender: Identity; body: string; receipts: readonly string[] };
};

/** What a door has found out about a message before it is received: it saves asking again. */
export interface FoundMessage {
  /** Null: not seen before. */
  sender: WorkerId | null;
  /** The Worker that is named at the head of its text. */
  named: WorkerId | null;
  /** What its append will need to know. */
  resolved: FoundFacts;
}

interface Row {
  found:
    | (Pick<BoundPlace, 'binding' | 'stream' | 'described' | 'listeners'> & { idleSeconds: number; facts: Resolved })
    | null;
  sender: WorkerId | null;
  named: WorkerId | null;
}

const queueOf = oncePer((database: Database) =>
  batching(async (asked: AskedPlace[]) => (await findPlaces(database, asked)).map((value) => ({ value })), {
    atMost: 64,
    inFlight: 2,
  }),
);

/**
 * What is bound to a place, and the Thread at `threadPlace` there. Null: nothing is bound. Calls that come at the same time share
 * one round trip.
 */
export async function findPlace(database: Database, asked: AskedPlace): Promise<BoundPlace | null> {
  return await queueOf(database)(asked);
}

/** Subqueries where joins would read as well (resolve-appends.ts, `factsOf`). */
async function findPlaces(database: Database, asked: readonly AskedPlace[]): Promise<(BoundPlace | null)[]> {
  const foundAt = performance.now();
  const facts = factsOf({
    organisation: 'i.organisation',
    stream: 'b.stream',
    thread: 't.thread',
    scope: 'b.id',
    receipts: 'i.receipts',
    addressed: `'[]'`,
  });
  const rows = await database.query<Row>(
    `select (
       select jsonb_build_object(
         'binding', b.id, 'stream', b.stream, 'described', not (b.config ? 'undescribed'),
         'listeners', coalesce((select case when bool_or(w.kind = 'ai') then 'agents' when count(*) > 0 then 'people' end
            from subscription su join worker w on w.organisation = su.organisation and w.id = su.worker and w.dismissed_at is null
            where su.organisation = i.organisation and su.stream = b.stream and su.mode = 'all'), 'nobody'),
         'idleSeconds', coalesce((select extract(epoch from now() - e.created_at) from event e
            where e.organisation = i.organisation and e.thread = t.thread order by e.position desc limit 1), 0),
         'facts', ${facts})
       from binding b left join thread_binding t
         on t.organisation = i.organisation and t.binding = b.id and t.external_id = i."threadPlace"
       where b.organisation = i.organisation and b.kind = i.kind and b.external_id = i."externalId") as found,
       (select k.worker from identity k
         where k.organisation = i.organisation and k.platform = i.platform and k.external_id = i.sender) as sender,
       ${workerNamed('i.organisation', 'i.names')} as named
     from json_to_recordset($1::json) i(n int, organisation text, kind text, "externalId" text, "threadPlace" text, platform text, sender text,
         names json, receipts json)
     order by i.n`,
    [
      toJson(
        asked.map(({ organisation, kind, externalId, threadPlace, message }, n) => ({
          n,
          organisation,
          kind,
          externalId,
          threadPlace,
          platform: message?.sender.platform,
          sender: message?.sender.externalId,
          names: message ? possibleNames(message.body) : [],
          receipts: message?.receipts ?? [],
        })),
      ),
    ],
  );
  return rows.map(({ found, sender, named }, n) => {
    if (!found) return null;
    const { facts, idleSeconds, ...bound } = found;
    const { thread, defaultWorker, participants } = facts;
    // Whom the door may address, besides those whom it knows: both are found to be here.
    const addressed = [named, defaultWorker].filter((worker) => worker !== null);
    return {
      ...bound,
      defaultWorker,
      thread: thread && { id: thread, hasAgent: participants.length > 0, idleSeconds },
      message: asked[n]?.message ? { sender, named, resolved: { facts: { ...facts, addressed }, foundAt } } : null,
    };
  });
}

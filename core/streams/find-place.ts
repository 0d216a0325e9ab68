import { batching, oncePer } from '../store/batching.ts';
import type { Database } from '../store/database.ts';
import type { BindingId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';

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
}

/** A Thread, as found by its place. */
export interface PlacedThread {
  id: ThreadId;
  /** An AI Worker takes part in it, so that what is said there is meant for it without a mention. */
  hasAgent: boolean;
  /** Since its last Event, by the database's clock. */
  idleSeconds: number;
}

type Asked = Place & { threadPlace?: string | undefined };

const queueOf = oncePer((database: Database) =>
  batching(async (asked: Asked[]) => (await findPlaces(database, asked)).map((value) => ({ value })), {
    atMost: 64,
    inFlight: 2,
  }),
);

/**
 * What is bound to a place, and the Thread at `threadPlace` there. Null: nothing is bound. Calls that come at the same time share
 * one round trip.
 */
export async function findPlace(database: Database, asked: Asked): Promise<BoundPlace | null> {
  return await queueOf(database)(asked);
}

/**
 * Subqueries where joins would read as well: each is one probe of an index whatever the planner believes of the tables' sizes, and a
 * plan that was made while they were small is kept while they grow.
 */
async function findPlaces(database: Database, asked: readonly Asked[]): Promise<(BoundPlace | null)[]> {
  const rows = await database.query<{ place: BoundPlace | null }>(
    `select (
       select jsonb_build_object(
         'binding', b.id, 'stream', b.stream, 'described', not (b.config ? 'undescribed'),
         'defaultWorker', (select w.id from stream s
            join worker w on w.organisation = s.organisation and w.id = s.default_worker and w.kind = 'ai' and w.dismissed_at is null
           where s.organisation = b.organisation and s.id = b.stream),
         'listeners', coalesce((select case when bool_or(w.kind = 'ai') then 'agents' when count(*) > 0 then 'people' end
            from subscription su
              join worker w on w.organisation = su.organisation and w.id = su.worker and w.dismissed_at is null
           where su.organisation = b.organisation and su.stream = b.stream and su.mode = 'all'), 'nobody'),
         'thread', (select jsonb_build_object('id', tb.thread,
             'hasAgent', exists (select 1 from participant p
                join worker w on w.organisation = p.organisation and w.id = p.worker and w.kind = 'ai' and w.dismissed_at is null
               where p.organisation = tb.organisation and p.thread = tb.thread),
             'idleSeconds', coalesce((select extract(epoch from now() - e.created_at) from event e
               where e.organisation = tb.organisation and e.thread = tb.thread order by e.position desc limit 1), 0))
            from thread_binding tb
           where tb.organisation = b.organisation and tb.binding = b.id and tb.external_id = i."threadPlace"))
       from binding b where b.organisation = i.organisation and b.kind = i.kind and b.external_id = i."externalId") as place
     from json_to_recordset($1::json) i(n int, organisation text, kind text, "externalId" text, "threadPlace" text)
     order by i.n`,
    [toJson(asked.map((place, n) => ({ n, ...place })))],
  );
  return rows.map((row) => row.place);
}

import { batching } from '../store/batching.ts';
import type { Database } from '../store/database.ts';
import type { BindingId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';

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

const queues = new WeakMap<Database, (asked: Asked) => Promise<BoundPlace | null>>();
const limits = { atMost: 64, inFlight: 2 };

/**
 * What is bound to a place, and the Thread at `threadPlace` there. Null: nothing is bound. Calls that come at the same time share
 * one round trip.
 */
export async function findPlace(database: Database, asked: Asked): Promise<BoundPlace | null> {
  let queue = queues.get(database);
  if (!queue) {
    queue = batching(
      async (inputs: Asked[]) => (await findPlaces(database, inputs)).map((value) => ({ value })),
      limits,
    );
    queues.set(database, queue);
  }
  return await queue(asked);
}

async function findPlaces(database: Database, asked: readonly Asked[]): Promise<(BoundPlace | null)[]> {
  const rows = await database.query<{ place: BoundPlace | null }>(
    `select case when b.id is not null then jsonb_build_object(
         'binding', b.id, 'stream', b.stream, 'defaultWorker', d.id, 'described', not (b.config ? 'undescribed'),
         'listeners', case when sub.agents then 'agents' when sub.people then 'people' else 'nobody' end,
         'thread', case when tb.thread is not null then jsonb_build_object(
           'id', tb.thread, 'hasAgent', agent.there,
           'idleSeconds', coalesce(extract(epoch from now() - last.at), 0)) end) end as place
     from json_to_recordset($1::json) i(n int, organisation text, kind text, "externalId" text, "threadPlace" text)
     left join binding b on b.organisation = i.organisation and b.kind = i.kind and b.external_id = i."externalId"
     left join stream s on s.organisation = b.organisation and s.id = b.stream
     left join worker d on d.organisation = s.organisation and d.id = s.default_worker and d.kind = 'ai' and d.dismissed_at is null
     left join thread_binding tb on tb.organisation = b.organisation and tb.binding = b.id and tb.external_id = i."threadPlace"
     left join lateral (
       select bool_or(w.kind = 'ai') as agents, bool_or(w.kind = 'human') as people from subscription su
         join worker w on w.organisation = su.organisation and w.id = su.worker and w.dismissed_at is null
       where su.organisation = b.organisation and su.stream = b.stream and su.mode = 'all'
     ) sub on true
     left join lateral (
       select exists (select 1 from participant p
         join worker w on w.organisation = p.organisation and w.id = p.worker and w.kind = 'ai' and w.dismissed_at is null
         where p.organisation = tb.organisation and p.thread = tb.thread) as there
     ) agent on true
     left join lateral (
       select e.created_at as at from event e where e.organisation = tb.organisation and e.thread = tb.thread
       order by e.position desc limit 1
     ) last on true
     order by i.n`,
    [JSON.stringify(asked.map((place, n) => ({ n, ...place })))],
  );
  return rows.map((row) => row.place);
}

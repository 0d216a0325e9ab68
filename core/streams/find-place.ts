import type { Identity } from '../organisation/identities.ts';
import { batching, oncePer } from '../store/batching.ts';
import type { Database } from '../store/database.ts';
import type { BindingId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { possibleNames, workerNamed } from './address.ts';
import type { FoundFacts } from './append-input.ts';
import type { Resolved } from './resolve-appends.ts';

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
  found: { place: Omit<BoundPlace, 'message'>; resolved: Omit<Resolved, 'addressed'> } | null;
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

/**
 * Subqueries where joins would read as well: each is one probe of an index whatever the planner believes of the tables' sizes, and a
 * plan that was made while they were small is kept while they grow.
 */
async function findPlaces(database: Database, asked: readonly AskedPlace[]): Promise<(BoundPlace | null)[]> {
  const foundAt = performance.now();
  const rows = await database.query<Row>(
    `select (
       select jsonb_build_object(
         'place', jsonb_build_object(
           'binding', b.id, 'stream', b.stream, 'described', not (b.config ? 'undescribed'), 'defaultWorker', d.id, 'listeners', l.listeners,
           'thread', case when t.id is not null then jsonb_build_object('id', t.id, 'hasAgent', t.participants <> '[]'::jsonb,
             'idleSeconds', coalesce((select extract(epoch from now() - e.created_at) from event e
               where e.organisation = i.organisation and e.thread = t.id order by e.position desc limit 1), 0)) end),
         'resolved', jsonb_build_object(
           'streamKind', (select s.kind from stream s where s.organisation = i.organisation and s.id = b.stream),
           'seen', (select jsonb_build_object('event', e.id, 'thread', e.thread, 'position', e.position)
              from json_array_elements_text(i.receipts) k
                join receipt r on r.organisation = i.organisation and r.binding = b.id and r.external_id = k
                join event e on e.organisation = i.organisation and e.id = r.event limit 1),
           'thread', t.id, 'muted', coalesce(t.muted, false), 'participants', coalesce(t.participants, '[]'),
           'subscribers', l.subscribers, 'defaultWorker', d.id, 'bindings', coalesce(t.bindings, '[]')))
       from binding b
         left join lateral (
           select w.id from stream s
             join worker w on w.organisation = s.organisation and w.id = s.default_worker and w.kind = 'ai' and w.dismissed_at is null
           where s.organisation = i.organisation and s.id = b.stream
         ) d on true
         left join lateral (
           select coalesce(jsonb_agg(jsonb_build_object('worker', su.worker, 'mode', su.mode)) filter (where w.kind = 'ai'), '[]') as subscribers,
             case when bool_or(su.mode = 'all' and w.kind = 'ai') then 'agents' when bool_or(su.mode = 'all') then 'people' else 'nobody' end
               as listeners
           from subscription su join worker w on w.organisation = su.organisation and w.id = su.worker and w.dismissed_at is null
           where su.organisation = i.organisation and su.stream = b.stream
         ) l on true
         left join lateral (
           select h.id, h.muted_at is not null as muted,
             coalesce((select jsonb_agg(p.worker) from participant p
               join worker w on w.organisation = p.organisation and w.id = p.worker and w.kind = 'ai' and w.dismissed_at is null
               where p.organisation = i.organisation and p.thread = h.id), '[]') as participants,
             (select jsonb_agg(distinct x.binding) from thread_binding x
               where x.organisation = i.organisation and x.thread = h.id) as bindings
           from thread_binding tb join thread h on h.organisation = tb.organisation and h.id = tb.thread and h.stream = b.stream
           where tb.organisation = i.organisation and tb.binding = b.id and tb.external_id = i."threadPlace"
         ) t on true
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
    const { place, resolved } = found;
    if (!asked[n]?.message) return { ...place, message: null };
    const agents = [named, resolved.defaultWorker].filter((worker) => worker !== null);
    return { ...place, message: { sender, named, resolved: { facts: { ...resolved, addressed: agents }, foundAt } } };
  });
}

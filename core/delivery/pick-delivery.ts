import type { Core } from '../core.ts';
import {
  type Claimed,
  claimLane,
  deliveriesAtOnce,
  type Hold,
  heldBy,
  holdOf,
  type Lane,
  type LaneKey,
  leaseSeconds,
} from '../dispatch/lane.ts';
import type { Executor, Statement } from '../store/database.ts';
import { openDelivery } from '../store/entities/dispatch.ts';
import {
  type BindingId,
  type DeliveryId,
  type EventId,
  newId,
  type OrganisationId,
  type ThreadId,
} from '../store/ids.ts';
import { type Event, eventColumns } from '../streams/message.ts';
import type { OutgoingDelivery } from './door.ts';

/** What is known of a Delivery, whether it is to be sent or shows a draft. */
type Known = Pick<OutgoingDelivery, 'id' | 'externalId' | 'createdAt' | 'binding' | 'threadPlace' | 'caption'> & {
  failures: number;
  lostLeases: number;
  waitingSeconds: number | null;
};

/** A Delivery as it was taken to be sent, with its Event. Null: that is gone. */
export type Picked = Known & { event: Event | null };

/** A Delivery that shows a reply while it grows. */
export type Draft = Known & { activation: string; text: string };

/** A Delivery's columns beside those of its Event. */
type DeliveryRow = Omit<Known, 'id' | 'createdAt'> & { delivery: DeliveryId; madeAt: Date };

type PickedRow = DeliveryRow & (Event | { [column in keyof Event]: null });

/** SQL: {@link DeliveryRow} of the rows `d` (delivery) and `b` (its Binding). `author` and `answers`: of what it says. */
function deliveryColumns(author: string, answers: string): string {
  return `d.id as delivery, d.created_at as "madeAt", d.external_id as "externalId", d.failures, d.lost_leases as "lostLeases",
    extract(epoch from now() - d.waiting_since)::float8 as "waitingSeconds",
    jsonb_build_object('id', b.id, 'kind', b.kind, 'externalId', b.external_id, 'config', b.config) as binding,
    (select external_id from thread_binding tb where tb.organisation = d.organisation and tb.binding = d.binding and tb.thread = d.thread
      order by external_id limit 1) as "threadPlace",
    (select jsonb_build_object('speaker', case when w.id is distinct from s.default_worker then w.name end,
        'help', coalesce((select asked.extra->>'command' = 'help' from event asked
          where asked.organisation = d.organisation and asked.id = ${answers}), false))
      from thread t join stream s on s.organisation = t.organisation and s.id = t.stream
        left join worker w on w.organisation = t.organisation and w.id = ${author}
      where t.organisation = d.organisation and t.id = d.thread) as caption`;
}

/** The same of the finished Deliveries `d`, whose Events are `e`. */
const pickedColumns = `${deliveryColumns('e.author', `case when e.source_kind = 'notice' then e.extra->>'answers' end`)}, ${eventColumns}`;

function pickedOf(row: PickedRow): Picked {
  const {
    delivery,
    madeAt,
    externalId,
    failures,
    lostLeases,
    waitingSeconds,
    binding,
    threadPlace,
    caption,
    ...event
  } = row;
  return {
    id: delivery,
    createdAt: madeAt,
    ...{ externalId, failures, lostLeases, waitingSeconds, binding, threadPlace, caption },
    event: event.id === null ? null : (event as Event),
  };
}

/** SQL: marks that what `head` (id, event, binding) names is being sent, so that a takeover knows that it may have been. */
const markSending = `update delivery d set state = 'sending', lost_leases = d.lost_leases + (d.state = 'sending')::int
  from head join binding b on b.organisation = $1 and b.id = head.binding
    left join event e on e.organisation = $1 and e.id = head.event
  where d.organisation = $1 and d.id = head.id`;

/** Takes the next finished Delivery of a Lane. */
function pick(hold: Hold): Statement {
  return [
    `with held as (
       select 1 from lane where organisation = $1 and kind = 'delivery' and owner = $2 and thread = $3 and ${heldBy('$4', '$5')}
     ), head as (
       select id, event, binding from delivery where organisation = $1 and binding = $2 and thread = $3
         and state <> 'draft' and ${openDelivery('state')} and exists (select 1 from held)
       order by position, created_at limit 1
     )
     ${markSending} returning ${pickedColumns}`,
    [hold.organisation, hold.owner, hold.thread, ...holdOf(hold)],
  ];
}

/** Takes the next finished Delivery of a Lane that is held. Null: there is none. */
export async function pickDelivery(executor: Executor, lane: Lane): Promise<Picked | null> {
  const [row] = await executor.query<PickedRow>(...pick(lane));
  return row ? pickedOf(row) : null;
}

/** A Lane of Deliveries that was claimed, and what is first to be sent in it; null: nothing finished. */
export interface ClaimedDelivery {
  lane: Lane;
  first: Picked | null;
}

/** Claims a Lane and takes its first finished Delivery, in one round trip. Null: it cannot be had now. */
export async function claimDelivery(
  core: Pick<Core, 'database' | 'processName'>,
  key: LaneKey,
): Promise<ClaimedDelivery | null> {
  const holder = holderName(core);
  const [[claimed], [row]] = await core.database.transaction((tx) =>
    tx.commitWith<[Claimed, PickedRow]>(claimLane(key, holder), pick({ ...key, holder })),
  );
  return claimed ? { lane: { ...key, ...claimed }, first: row ? pickedOf(row) : null } : null;
}

/** An Event that goes out by Deliveries of its own. */
export interface SentEvent {
  organisation: OrganisationId;
  thread: ThreadId;
  event: EventId;
  /** How many Bindings it goes to at most. */
  places: number;
}

/** A row of {@link claimWithEvent}. */
export type ClaimedRow = PickedRow & { owner: BindingId; fence: number };

/**
 * The statement that claims the free Lanes in which an Event goes out, up to `limit`, and takes the first finished Delivery of each: to be
 * sent in the transaction that writes the Event, behind it, when the rows of these Lanes are locked by that already. So it
 * goes out at once, without a look at what there is to do.
 */
export function claimWithEvent(core: Pick<Core, 'processName'>, sent: SentEvent, limit: number): Statement {
  return [
    `with free as (
       select l.owner, clock_timestamp() + make_interval(secs => $7) as until from delivery n cross join lateral (
         select owner from lane where organisation = $1 and kind = 'delivery' and owner = n.binding and thread = $2
           and ready_at <= now() and lease_until is null limit 1) l
       where n.organisation = $1 and n.event = $3 and n.thread = $2 and n.state = 'queued'
         and $6 > (select count(*) from lane o where o.organisation = $1 and o.kind = 'delivery' and o.owner = l.owner
           and o.ready_at > now() and o.lease_until > now())
       order by l.owner limit $5
     ), claimed as (
       update lane set fence = lane.fence + 1, holder = $4,
         lease_until = free.until, ready_at = free.until
       from free where lane.organisation = $1 and lane.kind = 'delivery' and lane.owner = free.owner and lane.thread = $2
         and lane.owner = any (array(select owner from free))
       returning lane.owner, lane.fence
     ), head as (
       select c.owner, c.fence, h.* from claimed c cross join lateral (
         select id, event, binding from delivery where organisation = $1 and binding = c.owner and thread = $2
           and state <> 'draft' and ${openDelivery('state')} order by position, created_at limit 1) h
     )
     ${markSending} returning head.owner, head.fence, ${pickedColumns}`,
    [sent.organisation, sent.thread, sent.event, holderName(core), limit, deliveriesAtOnce, leaseSeconds],
  ];
}

/** What {@link claimWithEvent} has claimed. */
export function claimedWithEvent({ organisation, thread }: SentEvent, rows: readonly ClaimedRow[]): ClaimedDelivery[] {
  return rows.map(({ owner, fence, ...row }) => ({
    lane: { organisation, kind: 'delivery', owner, thread, fence, takenOver: false },
    first: pickedOf(row as PickedRow),
  }));
}

/** The drafts of a Lane, with their texts as far as they are written. */
export async function readDrafts(executor: Executor, lane: Lane): Promise<Draft[]> {
  const rows = await executor.query<DeliveryRow & { activation: string; text: string }>(
    `select ${deliveryColumns('a.worker', 'null')}, d.activation, coalesce(a.text, '') as text
     from delivery d join activation a on a.organisation = d.organisation and a.id = d.activation
       join binding b on b.organisation = d.organisation and b.id = d.binding
     where d.organisation = $1 and d.binding = $2 and d.thread = $3 and d.state = 'draft' and ${openDelivery('d.state')}`,
    [lane.organisation, lane.owner, lane.thread],
  );
  return rows.map(({ delivery, madeAt, ...draft }) => ({ ...draft, id: delivery, createdAt: madeAt }));
}

/** A name of this very claim, by which the statements behind it know it before they know the fence. */
function holderName({ processName }: Pick<Core, 'processName'>): string {
  return `${processName}:${newId('a')}`;
}

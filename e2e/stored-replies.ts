import { query } from './database.ts';

/** A Delivery of what an agent said, as the database holds it. */
export type StoredDelivery = {
  id: string;
  state: string;
  /** The platform's id of the message that shows it. */
  externalId: string | null;
  body: string;
  /** The reply's place in its Stream, and that of the last message it answers. */
  position: number;
  answers: number;
};

/** Every Delivery of a reply to Bindings of a kind (`slack`, `teams`). */
export async function readDeliveries(url: string, kind: string): Promise<StoredDelivery[]> {
  return query<StoredDelivery>(
    url,
    `select d.id, d.state, d.external_id as "externalId", e.body, e.position,
       (select max(t.position) from trigger t where t.organisation = d.organisation and t.activation = d.activation) as answers
     from delivery d join binding b on b.organisation = d.organisation and b.id = d.binding
       join event e on e.organisation = d.organisation and e.id = d.event
     where b.kind = $1 and e.source_kind = 'ai'`,
    [kind],
  );
}

/** The Deliveries in the hands of a core process, running or killed within the last ten seconds: being sent, or shown as drafts. */
export async function readHeldDeliveries(url: string, pid: number): Promise<{ id: string; kind: string }[]> {
  return query<{ id: string; kind: string }>(
    url,
    `select d.id, b.kind from lane l
       join delivery d on d.organisation = l.organisation and d.binding = l.owner and d.thread = l.thread
       join binding b on b.organisation = d.organisation and b.id = d.binding
     where l.kind = 'delivery' and l.lease_until > now() and l.holder like '%:' || $1 || ':%' and d.state in ('draft', 'sending')`,
    [String(pid)],
  );
}

/** How many Activations and Deliveries were given up. */
export async function countDead(url: string): Promise<number> {
  const [dead] = await query<{ count: number }>(
    url,
    `select (select count(*) from activation where state = 'dead')::int + (select count(*) from delivery where state = 'dead')::int as count`,
  );
  return dead?.count ?? 0;
}

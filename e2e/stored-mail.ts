import { query } from './database.ts';

/** What the database holds of one mail that was sent to an agent, told by its Message-ID. */
export type StoredMail = {
  messageId: string;
  /** How many Events: 1 is right. */
  events: number;
  thread: string | null;
  /** The state of its Trigger, null when it woke nobody. */
  trigger: string | null;
  /** The Deliveries of the reply that its Activation came to. */
  replies: StoredReply[];
};

/** A Delivery of a reply. `lostLeases`: how often it was in flight when whoever sent it was lost. */
export type StoredReply = { delivery: string; state: string; lostLeases: number; body: string };

/** Reads what became of mails, in the order of their Message-IDs. */
export async function readStoredMails(url: string, messageIds: readonly string[]): Promise<StoredMail[]> {
  return query<StoredMail>(
    url,
    `select asked.id as "messageId", count(e.id)::int as events, min(e.thread) as thread, min(t.state) as trigger,
       coalesce((select jsonb_agg(jsonb_build_object('delivery', d.id, 'state', d.state, 'lostLeases', d.lost_leases, 'body', r.body))
          from activation a
            join event r on r.organisation = a.organisation and r.id = a.reply
            join delivery d on d.organisation = a.organisation and d.event = a.reply
          where a.id = min(t.activation)), '[]') as replies
     from unnest($1::text[]) with ordinality asked(id, n)
       left join event e on e.message_id = asked.id and e.came_by is not null
       left join trigger t on t.organisation = e.organisation and t.event = e.id
     group by asked.id, asked.n order by asked.n`,
    [messageIds],
  );
}

/** How much work is still open: Triggers without an end, Activations that run, Deliveries on their way. */
export async function countOpenWork(
  url: string,
): Promise<{ triggers: number; activations: number; deliveries: number }> {
  const [open] = await query<{ triggers: number; activations: number; deliveries: number }>(
    url,
    `select (select count(*)::int from trigger where state in ('waiting', 'taken')) as triggers,
       (select count(*)::int from activation where state in ('running', 'waiting')) as activations,
       (select count(*)::int from delivery where state in ('draft', 'queued', 'sending', 'waiting')) as deliveries`,
  );
  if (!open) throw new Error('a count gives one row');
  return open;
}

/** How many Activations and Deliveries a core process holds at this moment. */
export async function countInFlight(url: string, pid: number): Promise<{ activations: number; deliveries: number }> {
  const [held] = await query<{ activations: number; deliveries: number }>(
    url,
    `select count(*) filter (where kind = 'activation')::int as activations, count(*) filter (where kind = 'delivery')::int as deliveries
     from lane where lease_until > now() and holder like '%:' || $1 || ':%'`,
    [String(pid)],
  );
  if (!held) throw new Error('a count gives one row');
  return held;
}

import type { OutgoingDelivery } from '../../core/delivery/door.ts';
import type { Executor } from '../../core/store/database.ts';
import type { Event } from '../../core/streams/message.ts';
import { normaliseAddress } from './mail-address.ts';
import { MailExtra } from './mail-extra.ts';
import { boundedChain } from './message-ids.ts';

/** A mail that an outgoing one answers or follows. */
export interface Parent {
  subject: string;
  messageId: string | null;
  references: string[];
}

/** Whom an outgoing mail goes to, in whose name, and what it belongs to. */
export interface Route {
  to: string[];
  /** Null: it begins a conversation. */
  parent: Parent | null;
  /** The Worker in whose name it is. */
  name: string;
  /** What stands behind the `@` of the alias. */
  domain: string;
}

type MailRow = Pick<Event, 'subject' | 'messageId' | 'extra'> & { answered: boolean };
type SentRow = Pick<Event, 'subject' | 'to'> & { externalId: string | null };

/**
 * Finds the route of an outgoing mail. It goes to those it names (`to`, of what was said inside only); else to whoever wrote the
 * mails that it answers, each at Reply-To or From alone; else to whoever wrote last in the Thread; else to where the last mail of
 * ours went. Nobody else who takes part gets a copy.
 */
export async function findRoute(
  database: Executor,
  delivery: OutgoingDelivery,
  event: Event,
  ownDomain: string,
): Promise<Route> {
  const [mails, [sent], [house]] = await Promise.all([
    mailsBefore(database, delivery, event),
    database.query<SentRow>(
      `select e.subject, e."to", d.external_id as "externalId" from delivery d
         join event e on e.organisation = d.organisation and e.id = d.event
       where d.organisation = $1 and d.binding = $2 and d.thread = $3 and d.position < $4 and d.state = 'delivered'
       order by d.position desc limit 1`,
      [delivery.organisation, delivery.binding.id, delivery.thread, event.position],
    ),
    database.query<{ name: string | null; domain: string | null }>(
      `select coalesce(
           (select name from worker where organisation = $1 and id = $2),
           (select w.name from stream s join worker w on w.organisation = s.organisation and w.id = s.default_worker
             where s.organisation = $1 and s.id = $3)) as name,
         (select external_id from installation where organisation = $1 and kind = 'mail'
           order by (external_id = $4) desc, created_at limit 1) as domain`,
      [delivery.organisation, event.author, event.stream, ownDomain],
    ),
  ]);
  const answered = mails.filter((mail) => mail.answered);
  const parents = answered.length > 0 ? answered : mails.slice(0, 1);
  const named = event.cameBy === null ? addresses(event.to) : [];
  const [last] = parents;
  return {
    to:
      named.length > 0
        ? named
        : parents.length > 0
          ? addresses(parents.map((mail) => extraOf(mail)?.replyTo ?? ''))
          : addresses(sent?.to ?? []),
    parent: last
      ? {
          subject: last.subject,
          messageId: last.messageId,
          references: boundedChain([
            ...(extraOf(last)?.references ?? []),
            ...parents.slice(1).flatMap((mail) => mail.messageId ?? []),
          ]),
        }
      : sent
        ? { subject: sent.subject, messageId: sent.externalId, references: [] }
        : null,
    name: house?.name ?? 'Switchboard',
    domain: house?.domain ?? ownDomain,
  };
}

/**
 * People's mails before this Event in its Thread, newest first, those that it answers marked: the batch of its Activation, or the
 * one that `extra.answers` names. What machines wrote is never answered.
 */
async function mailsBefore(database: Executor, delivery: OutgoingDelivery, event: Event): Promise<MailRow[]> {
  const answers = typeof event.extra.answers === 'string' ? event.extra.answers : null;
  return await database.query<MailRow>(
    `select e.subject, e.message_id as "messageId", e.extra,
       e.id = $5 or exists (select 1 from trigger t
         where t.organisation = e.organisation and t.event = e.id and t.activation = $6) as answered
     from event e
     where e.organisation = $1 and e.thread = $2 and e.came_by = $3 and e.position < $4 and e.source_kind = 'human'
       and e.extra ? 'mail' and not (e.extra->'mail' ? 'automatic')
     order by answered desc nulls last, e.position desc limit 20`,
    [delivery.organisation, delivery.thread, delivery.binding.id, event.position, answers, event.activation],
  );
}

function extraOf(mail: Pick<Event, 'extra'>): MailExtra | undefined {
  return MailExtra.safeParse(mail.extra.mail).data;
}

function addresses(texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => normaliseAddress(text) ?? []))];
}

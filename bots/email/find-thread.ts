import type { Executor } from '../../core/store/database.ts';
import type { ThreadId } from '../../core/store/ids.ts';
import type { Alias } from './find-alias.ts';
import { deliveryOf } from './message-ids.ts';
import type { MailContent } from './parse-mail.ts';
import type { MailSender } from './sender-of.ts';

/**
 * The Thread that a mail continues: the one of the mail it answers (In-Reply-To, then References from the last to the first), else
 * the one whose token is in the recipient's address. Only a Thread that the sender takes part in, or was written to in: anybody
 * can learn a Message-ID or a token. Undefined: the mail opens a new Thread.
 */
export async function findThread(
  database: Executor,
  alias: Alias,
  sender: MailSender,
  content: Pick<MailContent, 'inReplyTo' | 'references'>,
): Promise<ThreadId | undefined> {
  const ids = [...new Set([...content.inReplyTo, ...content.references.toReversed()])];
  const token = alias.tag && /^t-[0-9a-z-]{1,60}$/.test(alias.tag) ? alias.tag : null;
  if (ids.length === 0 && !token) return undefined;
  // A Delivery's own id is looked up too: an answer may come before its Message-ID is entered as a receipt.
  const [row] = await database.query<{ thread: ThreadId }>(
    `with candidate as materialized (
       select e.thread, k.n from unnest($6::text[]) with ordinality k(id, n)
         join receipt r on r.organisation = $1 and r.binding = $2 and r.external_id = k.id
         join event e on e.organisation = r.organisation and e.id = r.event
       union all
       select d.thread, k.n from unnest($7::text[]) with ordinality k(id, n)
         join delivery d on d.organisation = $1 and d.id = k.id and d.binding = $2
       union all
       select $8::text, 1000000 where $8::text is not null
     )
     select c.thread from candidate c join thread t on t.organisation = $1 and t.id = c.thread and t.stream = $3
     where exists (
         select 1 from participant p join identity i on i.organisation = p.organisation and i.worker = p.worker
         where p.organisation = $1 and p.thread = c.thread and i.platform = $4 and i.external_id = $5)
       or exists (
         select 1 from event o, jsonb_array_elements_text(o."to") written
         where o.organisation = $1 and o.thread = c.thread and o.came_by is null and lower(written) = $5)
     order by c.n limit 1`,
    [
      alias.organisation,
      alias.binding,
      alias.stream,
      sender.platform,
      sender.externalId,
      ids,
      ids.map((id) => deliveryOf(id) ?? ''),
      token,
    ],
  );
  return row?.thread;
}

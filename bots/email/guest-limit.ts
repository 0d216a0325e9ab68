import type { Core } from '../../core/core.ts';
import type { OrganisationId, StreamId, ThreadId, WorkerId } from '../../core/store/ids.ts';
import { append } from '../../core/streams/append.ts';

/**
 * Activations an hour that mail of unverified senders may cause: each of them, and all together (design §5). A command that the
 * core answers itself counts like one, because it sends a mail to an address that anybody may have written.
 */
export const guestLimits = { each: 30, together: 300 } as const;

/** Which of the limits a sender has reached. */
export type Reached = 'none' | 'each' | 'together';

/** So many of a Stream's last Events are looked at for commands: it bounds the work that a flood of mail makes for each. */
const commandsAmong = 2000;

/**
 * Counts the Activations of the last hour that unverified mail caused, those still waiting to begin and answered commands
 * included. Limits hold per Organisation, across all its core processes.
 *
 * @param address the sender, as known on the platform `mail-unverified`
 */
export async function guestLimitReached(
  core: Pick<Core, 'database'>,
  place: { organisation: OrganisationId; stream: StreamId },
  address: string,
): Promise<Reached> {
  // From the AI Workers' activations of the last hour to the events behind them: each step has an index.
  const [row] = await core.database.query<{ own: number; together: number }>(
    `with caused as (
       select a.id as run, t.event from worker w
         join activation a on a.organisation = w.organisation and a.worker = w.id and a.created_at > now() - interval '1 hour'
         join trigger t on t.organisation = a.organisation and t.activation = a.id
       where w.organisation = $1 and w.kind = 'ai'
       union all
       select t.event || t.worker, t.event from worker w
         join trigger t on t.organisation = w.organisation and t.worker = w.id and t.state = 'waiting'
       where w.organisation = $1 and w.kind = 'ai'
       union all
       select l.id, l.id from (
         select id, extra, created_at from event where organisation = $1 and stream = $3 order by position desc limit $4
       ) l where l.created_at > now() - interval '1 hour' and l.extra ? 'command'
     )
     select count(distinct c.run) filter (where i.external_id = $2) as own, count(distinct c.run) as together
     from caused c
       join event e on e.organisation = $1 and e.id = c.event
       join identity i on i.organisation = $1 and i.worker = e.author and i.platform = 'mail-unverified'`,
    [place.organisation, address, place.stream, commandsAmong],
  );
  if ((row?.own ?? 0) >= guestLimits.each) return 'each';
  return (row?.together ?? 0) >= guestLimits.together ? 'together' : 'none';
}

/**
 * Tells a sender that nobody will answer for a while: at most once an hour, and only after 30 answers, so that it is no way to
 * have somebody else flooded with mail. Not told at all when the limit of all together is reached.
 */
export async function tellGuestLimit(
  core: Pick<Core, 'database' | 'waking' | 'metrics'>,
  place: { organisation: OrganisationId; stream: StreamId; thread: ThreadId; sender: WorkerId },
): Promise<void> {
  const hour = Math.floor(Date.now() / 3_600_000);
  await append(core, {
    organisation: place.organisation,
    stream: place.stream,
    thread: place.thread,
    author: null,
    sourceKind: 'notice',
    message: {
      body: `Your mail has been kept, but nobody will answer it: this address takes ${guestLimits.each} mails an hour from one sender. Please write again later.`,
    },
    receipts: [`mail-guest-limit:${place.sender}:${hour}`],
  });
}

/**
 * Runs one after the other what counts and then appends, or many mails at once would all find the limit not yet reached. Between
 * several core processes the limit may be passed by a few.
 */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}

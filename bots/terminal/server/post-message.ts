import type { Core } from '../../../core/core.ts';
import { InvalidInputError } from '../../../core/errors.ts';
import type { EventId, StreamId, ThreadId } from '../../../core/store/ids.ts';
import { isAside } from '../../../core/streams/address.ts';
import { receive } from '../../../core/streams/receive.ts';
import { requireMayPublish } from '../../../core/streams/who-may-publish.ts';
import type { Accepted, Named, NewMessage } from '../wire.ts';
import type { Caller } from './authenticate.ts';
import { findThread } from './find-thread.ts';

/** Where somebody who names neither Stream nor Thread talks. */
const defaultStream: StreamId = 's-general';

/** The name under which a message is known when it comes again. A client's ids are its Worker's own. */
export function receiptOf(caller: Caller, clientId: string): string {
  return `${receiptPrefix(caller)}${clientId}`;
}

/** What {@link receiptOf} puts before the client's own id. */
export function receiptPrefix(caller: Caller): string {
  return `terminal:${caller.worker}:`;
}

/**
 * Appends what a person wrote, or does what the command in it says. When it returns, that is committed; the same id again gives the
 * same answer.
 *
 * @throws InvalidInputError, NotFoundError and ForbiddenError when it may not be said there
 */
export async function postMessage(core: Core, caller: Caller, message: NewMessage): Promise<Accepted> {
  const { organisation, worker } = caller;
  const stream = await placeOf(core, caller, message);
  const { kind, appended } = await receive(core, {
    organisation,
    binding: { id: null, stream },
    sender: { worker },
    message: { body: message.body },
    receipts: [receiptOf(caller, message.id)],
    ...(message.thread ? { thread: message.thread } : {}),
  });
  const { woken, muted, upTo } = await whatCameOfIt(core, caller, appended.event, appended.thread);
  const heard = woken.length > 0 || kind === 'answered';
  return {
    event: appended.event,
    stream,
    thread: appended.thread,
    position: appended.position,
    upTo,
    duplicate: appended.duplicate,
    answered: kind === 'answered',
    woken,
    unheard: heard ? null : isAside(message.body) ? 'aside' : muted ? 'muted' : 'nobody',
  };
}

/** The Stream to say it in, if this person may. */
async function placeOf(core: Core, caller: Caller, message: NewMessage): Promise<StreamId> {
  const { thread } = message;
  const stream = thread ? (await findThread(core.database, caller, thread)).stream : (message.stream ?? defaultStream);
  if (message.stream && message.stream !== stream)
    throw new InvalidInputError(`thread "${thread}" is not in stream "${message.stream}"`);
  const { kind } = await requireMayPublish(core.database, caller.organisation, caller.worker, { stream, thread });
  if (kind !== 'channel' && !thread)
    throw new InvalidInputError(`a conversation in "${stream}" cannot be begun in a terminal: name one of its threads`);
  return stream;
}

/** Read back, because a message that came again wakes nobody now. */
async function whatCameOfIt(
  core: Core,
  caller: Caller,
  event: EventId,
  thread: ThreadId,
): Promise<{ woken: Named[]; muted: boolean; upTo: number }> {
  const [row] = await core.database.query<{ woken: Named[]; muted: boolean; upTo: number }>(
    `select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name) order by w.name, w.id)
         filter (where w.id is not null), '[]') as woken,
       coalesce(bool_or(t.muted_at is not null), false) as muted,
       (select coalesce(max(e.position), 0) from event e where e.organisation = $1 and e.thread = $3) as "upTo"
     from thread t
       left join trigger g on g.organisation = t.organisation and g.event = $2
       left join worker w on w.organisation = g.organisation and w.id = g.worker
     where t.organisation = $1 and t.id = $3`,
    [caller.organisation, event, thread],
  );
  if (!row) throw new Error('whatCameOfIt: the query always gives one row');
  return row;
}

import { ForbiddenError } from '../errors.ts';
import type { Executor } from '../store/database.ts';
import type { BindingId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { unknownStream } from './streams.ts';

/** A Stream that a Worker may publish to. */
export interface PublishableStream {
  kind: 'channel' | 'mail' | 'dm' | 'activation';
  /** Its mail Binding, if it has one. */
  mail: BindingId | null;
}

/**
 * A Worker may publish where it listens: in a Stream that it is subscribed to, is the default Worker of or has made, and in a
 * Thread that it takes part in. A mail or a DM that exists is open to its participants only.
 *
 * @throws NotFoundError when the Stream is unknown or the Worker may not know of it, ForbiddenError.
 */
export async function requireMayPublish(
  executor: Executor,
  organisation: OrganisationId,
  worker: WorkerId,
  place: { stream: StreamId; thread?: ThreadId | undefined },
): Promise<PublishableStream> {
  const [found] = await executor.query<PublishableStream & { listens: boolean; takesPart: boolean }>(
    `select s.kind,
       (select b.id from binding b where b.organisation = $1 and b.stream = s.id and b.kind = 'mail' order by b.id limit 1) as mail,
       exists (select 1 from subscription b where b.organisation = $1 and b.stream = s.id and b.worker = $3)
         or s.default_worker = $3 or s.created_by = $3 as listens,
       exists (select 1 from participant p join thread t on t.organisation = p.organisation and t.id = p.thread
               where p.organisation = $1 and p.worker = $3 and t.stream = s.id and t.id = $4) as "takesPart"
     from stream s where s.organisation = $1 and s.id = $2`,
    [organisation, place.stream, worker, place.thread ?? null],
  );
  const { kind, mail, listens = false, takesPart = false } = found ?? {};
  const isPrivate = kind === 'mail' || kind === 'dm';
  if (!kind || mail === undefined || (kind === 'dm' && !takesPart)) throw unknownStream(place.stream);
  if (isPrivate && place.thread ? takesPart : listens || takesPart) return { kind, mail };
  throw new ForbiddenError(
    isPrivate && place.thread
      ? `you take no part in thread "${place.thread}": only its participants write there`
      : `you may not publish to "${place.stream}": you are not subscribed to it`,
  );
}

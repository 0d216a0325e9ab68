import { z } from 'zod';
import { ForbiddenError, InvalidInputError } from '../errors.ts';
import { findWorker } from '../organisation/workers.ts';
import { newId, type StreamId, type ThreadId, type WorkerId } from '../store/ids.ts';
import type { AppendInput } from '../streams/append.ts';
import { requireMayPublish } from '../streams/who-may-publish.ts';
import { requireBehalf } from './permission.ts';
import type { ToolContext } from './tool.ts';

/** Where a message goes, after a look whether it may. */
export interface Recipients {
  to: string[];
  /** The AI Workers that are to answer. */
  addressed: WorkerId[];
  /** Of a new mail: the place that makes its Delivery. */
  threadPlace?: NonNullable<AppendInput['threadPlace']>;
}

/**
 * Checks that the Worker may publish there, and reads `to`: Workers in a channel, addresses in a new mail. In a mail thread that
 * exists the answer goes to whom the thread is with, and `to` may only repeat them.
 *
 * A new mail leaves the house for addresses that anybody may have put into the Worker's head, so during an Activation everybody who
 * asked for it needs the grant of `publish` (guests have none): else strangers could have mail sent to third parties.
 *
 * @throws ForbiddenError, NotFoundError, InvalidInputError
 */
export async function resolveRecipients(
  context: ToolContext,
  place: { stream: StreamId; thread: ThreadId | undefined; to: readonly string[] },
): Promise<Recipients> {
  const { core, organisation, worker } = context;
  const { stream, thread, to } = place;
  const { kind, mail } = await requireMayPublish(core.database, organisation, worker, { stream, thread });
  if (kind !== 'mail') return { to: [...to], addressed: await workersOf(context, place) };

  const addresses = to.map(mailAddress);
  if (thread) {
    await refuseStrangers(context, stream, thread, addresses);
    return { to: [], addressed: [] };
  }
  if (addresses.length === 0)
    throw new InvalidInputError(
      'a new mail needs the addresses it goes to in "to"; to answer a mail say its thread, and to answer the one that woke you just give your answer',
    );
  if (!mail) throw new InvalidInputError(`"${stream}" has no mail address, so nothing can be sent from it`);
  await requireBehalf(context, ['publish']);
  return { to: addresses, addressed: [], threadPlace: { binding: mail, externalId: `new:${newId('t')}` } };
}

function mailAddress(text: string): string {
  const address = /<([^<>]+)>\s*$/.exec(text)?.[1] ?? text;
  const parsed = z.email().safeParse(address.trim());
  if (!parsed.success) throw new InvalidInputError(`to: ${JSON.stringify(text)} is not a mail address`);
  return parsed.data;
}

async function refuseStrangers(
  context: ToolContext,
  stream: StreamId,
  thread: ThreadId,
  addresses: readonly string[],
): Promise<void> {
  if (addresses.length === 0) return;
  const strangers = await context.core.database.query<{ address: string }>(
    `select a.address from unnest($3::text[]) a(address) where not exists (
       select 1 from event e where e.organisation = $1 and e.thread = $2
         and (lower(e."from") = lower(a.address)
           or exists (select 1 from jsonb_array_elements_text(e."to") t(address) where lower(t.address) = lower(a.address))))`,
    [context.organisation, thread, addresses],
  );
  if (strangers.length > 0)
    throw new ForbiddenError(
      `${strangers.map((stranger) => stranger.address).join(', ')} took no part in this thread: begin a new mail in "${stream}" (leave out "thread")`,
    );
}

/** Those who are named must hear it: they listen to the Stream, or take part in the Thread. */
async function workersOf(
  context: ToolContext,
  place: { stream: StreamId; thread: ThreadId | undefined; to: readonly string[] },
): Promise<WorkerId[]> {
  const { core, organisation, worker } = context;
  const addressed: WorkerId[] = [];
  for (const reference of place.to) {
    const found = await findWorker(core.database, organisation, reference);
    const [row] = await core.database.query<{ hears: boolean }>(
      `select exists (select 1 from subscription where organisation = $1 and stream = $2 and worker = $4)
         or exists (select 1 from stream where organisation = $1 and id = $2 and default_worker = $4)
         or exists (select 1 from participant where organisation = $1 and thread = $3 and worker = $4) as hears`,
      [organisation, place.stream, place.thread ?? null, found.id],
    );
    if (!row?.hears)
      throw new InvalidInputError(`${found.id} does not listen to "${place.stream}": invite_workers first, or use dm`);
    if (found.kind === 'ai' && found.id !== worker) addressed.push(found.id);
  }
  return addressed;
}

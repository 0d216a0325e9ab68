import { type Desktop, findDesktop, ownerOfDesktop } from '../desktops/desktop.ts';
import { watchableBy } from '../desktops/who-may-watch.ts';
import { ForbiddenError, InvalidInputError } from '../errors.ts';
import { requireNoGuest } from '../organisation/require-no-guest.ts';
import type { OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { agentOfPlace } from './agent-of-place.ts';
import type { PromptContext } from './prompt.ts';
import { readersOfPlace } from './readers-of-place.ts';

/** The Desktop of the agent in the thread where somebody asks for it. */
export interface PlacedDesktop {
  organisation: OrganisationId;
  /** Whose it is; `thread` null: the agent has one for all its threads. */
  worker: WorkerId;
  thread: ThreadId | null;
  /** Where it was asked for. */
  place: { stream: StreamId; thread: ThreadId };
  /** Null: it never ran. */
  desktop: Desktop | null;
}

/**
 * Finds it, and makes sure that it may be spoken of there: who asks is no guest, and where the agent has one Desktop for all its threads,
 * everybody who reads along manages the agent.
 *
 * @throws ForbiddenError, InvalidInputError outside a thread or without an agent
 */
export async function desktopOfPlace(context: PromptContext): Promise<PlacedDesktop> {
  const { core, organisation, worker: asker, place } = context;
  if (!place) throw new InvalidInputError('say it in a thread: a desktop belongs to an agent in a thread');
  await requireNoGuest(core.database, organisation, [asker]);
  const agent = await agentOfPlace(context, 'no agent takes part in this thread: mention one first');
  const owner = await ownerOfDesktop(core.database, organisation, agent, place.thread);
  if (owner.thread === null) await requireManagersOnly(context, agent);
  return { organisation, ...owner, place, desktop: await findDesktop(core.database, organisation, owner) };
}

/** What is done in a Desktop for all threads is seen by those who manage the agent. */
async function requireManagersOnly(context: PromptContext, agent: WorkerId): Promise<void> {
  const { core, organisation } = context;
  const readers = (await readersOfPlace(context)).filter((reader) => reader !== agent);
  const strangers = await core.database.query<{ id: WorkerId }>(
    `select reader.id from unnest($3::text[]) reader(id), (select $1::text as organisation, $2::text as worker, null::text as thread) d
     where not ${watchableBy('d', 'array[reader.id]')}`,
    [organisation, agent, readers],
  );
  if (strangers.length > 0)
    throw new ForbiddenError(
      `${agent} has one desktop for all its threads, watched by its managers only; not by ${strangers.map(({ id }) => id).join(', ')}, who would read this: ask where only its managers read, or say \`wall\``,
    );
}

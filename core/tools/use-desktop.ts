import { saidOf, takePersonDid } from '../desktops/apply-control.ts';
import type { DesktopChannel } from '../desktops/channel.ts';
import { type Desktop, desktopColumns, ownerOfDesktop, titleOf, unknownDesktop } from '../desktops/desktop.ts';
import { ensureDesktop } from '../desktops/ensure-desktop.ts';
import { waitUntilRunning } from '../desktops/wait-until-running.ts';
import { watchableBy } from '../desktops/who-may-watch.ts';
import { ConflictError, InvalidInputError, UnavailableError } from '../errors.ts';
import { requireNoGuest } from '../organisation/require-no-guest.ts';
import type { DesktopId } from '../store/ids.ts';
import { readersOfAnswer } from './permission.ts';
import { desktopId, maybe } from './tolerant.ts';
import type { ToolContext } from './tool.ts';

/** The argument of every tool that works on a Desktop. */
export const whichDesktop = {
  desktop: maybe(desktopId()).describe('its id; left out: your own in the thread that you are answering'),
};

/** A browser in a new sandbox is there after some seconds; waited for in milliseconds. */
const startWithinMs = 60_000;

/**
 * Does something with a Desktop: the Worker's own in the Thread that its Activation answers, or the one that is named, if everybody
 * who will see the result may watch it (rule 12). It is started if need be. What people did there since the agent was told last comes with
 * the result.
 *
 * @throws ForbiddenError for guests, NotFoundError for a Desktop that is hidden, ConflictError when there is no room or it cannot be started
 */
export async function useDesktop<Result extends Record<string, unknown>>(
  context: ToolContext,
  reference: DesktopId | undefined,
  work: (desktop: Desktop, channel: DesktopChannel) => Promise<Result>,
): Promise<Result & { meanwhile?: string[] }> {
  const desktop = await runningDesktop(context, reference);
  const { core, organisation } = context;
  const result = await work(desktop, await core.desktops.channels.to(desktop));
  if (context.worker !== desktop.worker) return result;
  const did = await takePersonDid(core, organisation, desktop.id, context.activation?.id ?? null);
  return did.length === 0
    ? result
    : { ...result, meanwhile: did.map((one) => `${one.name} had control. ${saidOf(one)}`) };
}

/** The Desktop that is meant, once it runs. */
export async function runningDesktop(context: ToolContext, reference: DesktopId | undefined): Promise<Desktop> {
  const { core, organisation, signal } = context;
  const meant = await findMeant(context, reference);
  const wanted = await ensureDesktop(core, meant);
  if (wanted.state === 'running') return wanted;
  context.progress?.(`${titleOf(wanted)} is starting`);
  const now = await waitUntilRunning(core, organisation, wanted.id, { ms: startWithinMs, signal });
  signal.throwIfAborted();
  if (now.state === 'running') return now;
  if (now.state === 'starting')
    throw new UnavailableError('the desktop is still starting: try again in a moment', 'desktop_unavailable');
  throw new ConflictError(
    `the desktop ${now.state === 'failed' ? 'could not be started' : 'was stopped'}${now.detail ? `: ${now.detail}` : ''}`,
    'desktop_not_started',
  );
}

/** Whose Desktop is meant, after a look whether the caller may. */
async function findMeant(
  context: ToolContext,
  reference: DesktopId | undefined,
): Promise<Parameters<typeof ensureDesktop>[1]> {
  const { core, organisation, worker, activation } = context;
  if (activation) {
    const people = activation.behalf.filter((asker) => asker !== null);
    await requireNoGuest(core.database, organisation, people);
  }
  if (reference === undefined) {
    if (!activation)
      throw new InvalidInputError('say which desktop: its id stands in its link (`desktop` in its thread gives one)');
    return { organisation, ...(await ownerOfDesktop(core.database, organisation, worker, activation.thread)) };
  }
  const [desktop] = await core.database.query<Desktop>(
    `select ${desktopColumns} from desktop d where d.organisation = $1 and d.id = $2
       and (d.worker = $3 or ${watchableBy('d', 'array[$3::text]')})
       and (cardinality($4::text[]) = 0 or ${watchableBy('d', '$4')})`,
    [organisation, reference, worker, readersOfAnswer(context).filter((reader) => reader !== worker)],
  );
  if (!desktop) throw unknownDesktop(reference);
  return desktop;
}

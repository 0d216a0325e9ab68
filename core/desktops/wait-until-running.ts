import type { Core } from '../core.ts';
import type { DesktopId, OrganisationId } from '../store/ids.ts';
import { waitUntil } from '../streams/wait-until.ts';
import { type Desktop, getDesktop } from './desktop.ts';

/** Waits until a Desktop runs, has stopped or has failed, or the time is over; gives it as it is then. */
export async function waitUntilRunning(
  core: Pick<Core, 'database' | 'waking'>,
  organisation: OrganisationId,
  id: DesktopId,
  options: { ms: number; signal: AbortSignal },
): Promise<Desktop> {
  const listening = { listen: (listener: () => void) => core.waking.listenDesktops(listener) };
  return await waitUntil(listening, () => getDesktop(core.database, organisation, id), {
    isDone: ({ state }) => state !== 'starting',
    ...options,
  });
}

import type { Core } from '../core.ts';
import { type DesktopId, newId, type OrganisationId, type ThreadId, type WorkerId } from '../store/ids.ts';
import { type Desktop, desktopColumns, findDesktop } from './desktop.ts';
import { sizeOf } from './desktop-settings.ts';
import { chooseHost, lockPlacement } from './place-desktop.ts';

/**
 * The Desktop of a Worker in a Thread (`thread` null: the one for all its Threads), wanted from now on: one that is stopped, has failed or
 * never was is placed on a Host, in any core process. It may still be starting when this returns. It has the same id and home as before.
 *
 * @throws ConflictError (`desktops_full`) with the counts, or `no_host`: then nothing was changed.
 */
export async function ensureDesktop(
  core: Pick<Core, 'database' | 'waking' | 'desktops' | 'log'>,
  owner: { organisation: OrganisationId; worker: WorkerId; thread: ThreadId | null },
): Promise<Desktop> {
  const { organisation, worker, thread } = owner;
  const [running] = await core.database.query<Desktop>(
    `update desktop d set last_used_at = now()
     where d.organisation = $1 and d.worker = $2 and coalesce(d.thread, '') = coalesce($3, '') and d.desired = 'running'
     returning ${desktopColumns}`,
    [organisation, worker, thread],
  );
  if (running) return running;
  const { DESKTOP_SIZE, DESKTOPS_PER_ORGANISATION } = core.desktops.settings;
  const placed = await core.database.transaction(async (tx) => {
    await lockPlacement(tx);
    const before = await findDesktop(tx, organisation, { worker, thread });
    if (before?.desired === 'running') return before;
    const last = before?.host ?? null;
    const host = await chooseHost(tx, organisation, { limit: DESKTOPS_PER_ORGANISATION, last });
    const id: DesktopId = before?.id ?? newId('d');
    const { width, height } = sizeOf(DESKTOP_SIZE);
    const [desktop] = await tx.query<Desktop>(
      `insert into desktop as d (organisation, id, worker, thread, home, desired, state, generation, host, width, height, started_at)
       values ($1, $2, $3, $4, $2, 'running', 'starting', 1, $5, $6, $7, now())
       on conflict (organisation, id) do update set desired = 'running', state = 'starting', detail = '',
         generation = d.generation + 1, host = $5, width = $6, height = $7, driver = null, viewers = 0, controller = null,
         person_did = '[]', started_at = now(), last_used_at = now()
       returning ${desktopColumns}`,
      [organisation, id, worker, thread, host, width, height],
    );
    if (!desktop) throw new Error('a desktop was placed and is not there');
    return desktop;
  });
  core.log.info({ desktop: placed.id, host: placed.host, worker, thread }, 'a desktop is to run');
  core.waking.announceDesktops();
  return placed;
}

import type { Core } from '../core.ts';
import type { DesktopId, OrganisationId } from '../store/ids.ts';
import { stopDesktop } from './stop-desktop.ts';

/**
 * Stops the Desktops that for DESKTOP_IDLE seconds nobody has watched and no Activation has used (those that are in use now count from
 * now), and those whose Worker was dismissed or whose Thread was closed. Returns which were stopped.
 */
export async function stopIdleDesktops(
  core: Pick<Core, 'database' | 'waking' | 'log' | 'desktops'>,
): Promise<DesktopId[]> {
  const { DESKTOP_IDLE } = core.desktops.settings;
  await core.database.query(
    `update desktop d set last_used_at = now() where d.desired = 'running' and (d.viewers > 0 or exists (
       select 1 from activation a where a.organisation = d.organisation and a.worker = d.worker and a.state in ('running', 'waiting')
         and (d.thread is null or a.thread = d.thread)))`,
  );
  const idle = await core.database.query<{ organisation: OrganisationId; id: DesktopId }>(
    `select d.organisation, d.id from desktop d where d.desired = 'running' and (
       d.last_used_at < now() - make_interval(secs => $1)
       or exists (select 1 from worker w where w.organisation = d.organisation and w.id = d.worker and w.dismissed_at is not null)
       or exists (select 1 from thread t where t.organisation = d.organisation and t.id = d.thread and t.closed_at is not null))`,
    [DESKTOP_IDLE],
  );
  for (const { organisation, id } of idle) {
    await stopDesktop(core, organisation, id, 'nobody used it');
    core.log.info({ desktop: id }, 'a desktop that nobody needs was stopped');
  }
  return idle.map(({ id }) => id);
}

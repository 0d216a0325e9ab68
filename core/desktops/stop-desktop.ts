import type { Core } from '../core.ts';
import type { Statement } from '../store/database.ts';
import type { DesktopId, OrganisationId } from '../store/ids.ts';

/**
 * Stops a Desktop: its Host ends it, every link to it is void and who watches is dropped. The row and the home folder stay, and that its
 * agent has asked for help: who takes over a day later still wakes it. False: it was not running.
 */
export async function stopDesktop(
  core: Pick<Core, 'database' | 'waking'>,
  organisation: OrganisationId,
  desktop: DesktopId,
  detail: string,
): Promise<boolean> {
  const rows = await core.database.query(...endDesktop(organisation, desktop, { state: 'stopped', detail }));
  core.waking.announceDesktops();
  return rows.length > 0;
}

/** The statement of {@link stopDesktop}: one row if it was to run. `generation`: only if it is still this one. */
export function endDesktop(
  organisation: OrganisationId,
  desktop: DesktopId,
  end: { state: 'stopped' | 'failed'; detail: string; generation?: number },
): Statement {
  return [
    `with ended as (
       update desktop set desired = 'stopped', state = $3, detail = $4, viewers = 0, controller = null, person_did = '[]'
       where organisation = $1 and id = $2 and desired = 'running' and ($5::int is null or generation = $5)
       returning organisation, id
     ), revoked as (
       update viewer_link l set revoked_at = now() from ended
       where l.organisation = ended.organisation and l.desktop = ended.id and l.revoked_at is null
     )
     select 1 from ended`,
    [organisation, desktop, end.state, end.detail, end.generation ?? null],
  ];
}

import type { Core } from '../core.ts';
import type { DesktopId, OrganisationId, WorkerId } from '../store/ids.ts';
import { makeLink } from './viewer-links.ts';
import { mayWatch } from './who-may-watch.ts';

/** One Desktop on the wall. */
export interface WallDesktop {
  id: DesktopId;
  /** Whose it is. */
  title: string;
  /** The Thread that it is for: its subject, else its Stream's name. */
  subtitle: string;
  state: 'starting' | 'running';
  width: number;
  height: number;
  viewers: number;
  /** Opens it to watch, for this person. The token in its fragment is good for stills too. */
  url: string;
}

/** So many are shown; the latest used first. */
const shownAtMost = 100;

/** The running Desktops that a Worker may watch, by the one policy (who-may-watch.ts). */
export async function listWall(
  core: Pick<Core, 'database' | 'desktops' | 'publicUrl'>,
  organisation: OrganisationId,
  reader: WorkerId,
): Promise<WallDesktop[]> {
  const rows = await core.database.query<Omit<WallDesktop, 'url'>>(
    `select d.id, w.name as title, d.state, d.width, d.height, d.viewers,
       coalesce(nullif(t.subject, ''), s.name, 'all its threads') as subtitle
     from desktop d join worker w on w.organisation = d.organisation and w.id = d.worker
       left join thread t on t.organisation = d.organisation and t.id = d.thread
       left join stream s on s.organisation = t.organisation and s.id = t.stream
     where d.organisation = $1 and d.desired = 'running' and t.closed_at is null and ${mayWatch('d', '$2')}
     order by d.last_used_at desc, d.id limit ${shownAtMost}`,
    [organisation, reader],
  );
  return await Promise.all(
    rows.map(async (row) => ({
      ...row,
      url: await makeLink(core, { organisation, desktop: row.id, mode: 'watch', subject: reader }, { reuse: true }),
    })),
  );
}

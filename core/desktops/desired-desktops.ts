import type { Executor } from '../store/database.ts';
import type { HostId } from '../store/ids.ts';
import type { DesktopSettings } from './desktop-settings.ts';
import type { DesiredDesktop } from './host-messages.ts';

/** All that a Host should run now, in the order of ids. `recording`: the Activation that is at work in the Desktop. */
export async function readDesiredDesktops(
  executor: Executor,
  settings: DesktopSettings,
  host: HostId,
): Promise<DesiredDesktop[]> {
  const rows = await executor.query<
    Pick<DesiredDesktop, 'id' | 'generation' | 'home' | 'width' | 'height' | 'recording'>
  >(
    `select d.id, d.generation, d.home, d.width, d.height,
       (select a.id from activation a where a.organisation = d.organisation and a.worker = d.worker and a.state = 'running'
          and (d.thread is null or a.thread = d.thread) order by a.created_at, a.id limit 1) as recording
     from desktop d where d.host = $1 and d.desired = 'running' order by d.id`,
    [host],
  );
  const { DESKTOP_NETWORK, DESKTOP_MEMORY, DESKTOP_CPUS, DESKTOP_PROCESSES, DESKTOP_DISK } = settings;
  const limits = {
    memoryBytes: DESKTOP_MEMORY,
    cpus: DESKTOP_CPUS,
    processes: DESKTOP_PROCESSES,
    diskBytes: DESKTOP_DISK,
  };
  return rows.map((row) => ({ ...row, network: DESKTOP_NETWORK, limits }));
}

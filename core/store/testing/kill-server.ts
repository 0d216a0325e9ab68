import { clusterDirectoryOf } from '../embedded/cluster-files.ts';
import { findServerProcesses } from '../embedded/find-postmaster.ts';

/** SIGKILL to the server of a data directory and to all its children, if any run. */
export async function killServer(dataDirectory: string): Promise<void> {
  for (const pid of await findServerProcesses(clusterDirectoryOf(dataDirectory)).catch(() => []))
    process.kill(pid, 'SIGKILL');
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterDirectoryOf } from '../embedded/cluster-files.ts';
import { findServerProcesses } from '../embedded/find-postmaster.ts';

/** A data directory for a test. `await using` it, or dispose of it in `afterAll`: what still runs in it is killed then. */
export interface TemporaryDataDirectory extends AsyncDisposable {
  readonly path: string;
  /** SIGKILL to the server and all its children. */
  killServer(): Promise<void>;
}

/** Makes an empty data directory in the system's temporary folder, or in another one. */
export async function temporaryDataDirectory(parent = tmpdir()): Promise<TemporaryDataDirectory> {
  const path = await mkdtemp(join(parent, 'switchboard-data-'));
  const killServer = async () => {
    for (const pid of await findServerProcesses(clusterDirectoryOf(path)).catch(() => [])) process.kill(pid, 'SIGKILL');
  };
  return {
    path,
    killServer,
    async [Symbol.asyncDispose]() {
      await killServer();
      await rm(path, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

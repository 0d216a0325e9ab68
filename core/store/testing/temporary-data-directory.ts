import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { killServer } from './kill-server.ts';

/** A data directory for a test. `await using` it, or dispose of it in `afterAll`: what still runs in it is killed then. */
export interface TemporaryDataDirectory extends AsyncDisposable {
  readonly path: string;
  /** SIGKILL to the server and all its children. */
  killServer(): Promise<void>;
}

/** Makes an empty data directory in the folder of the test run, which is cleared up even if the run is interrupted. */
export async function temporaryDataDirectory(): Promise<TemporaryDataDirectory> {
  const path = await mkdtemp(join(inject('testFolder'), 'data-'));
  return {
    path,
    killServer: () => killServer(path),
    async [Symbol.asyncDispose]() {
      await killServer(path);
      await rm(path, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

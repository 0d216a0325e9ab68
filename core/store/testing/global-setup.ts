import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of the run's PostgreSQL server. */
    testServerUrl: string;
    /** A folder that is removed at the end of the run, with every PostgreSQL whose data directory lies in it. */
    testFolder: string;
  }
}

const ready = z.object({ url: z.string(), folder: z.string() });

/**
 * Vitest's global set-up: starts the run's PostgreSQL (test-server.ts) and tells the tests its URL. The server's program lives by
 * our end of its standard input: it cleans up after itself even if this process is killed.
 *
 * @returns the tear-down
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!process.features.typescript) throw new Error('the tests need the Node of this project: run `npm test`');
  const child = spawn(process.execPath, [fileURLToPath(new URL('test-server.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // a Ctrl-C ends the run; the server goes after its last test
    detached: true,
  });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)]);
  if (!first) throw new Error('the test database did not start (see above)');
  const { url, folder } = ready.parse(JSON.parse(first[0]));
  project.provide('testServerUrl', url);
  project.provide('testFolder', folder);
  return async () => {
    child.stdin.end();
    await exited;
  };
}

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostConfigurationError } from './read-host-settings.ts';

/** A host that was told to end has stopped its Desktops by then, in milliseconds. */
const waitMs = 5000;

/**
 * Makes sure that one process at a time is the host of a folder: two would sweep away each other's Desktops. The lock is a listening
 * UNIX socket, on Linux in the abstract namespace, so that it goes with its process, however that ends; elsewhere one that nobody
 * answers at is taken away. A host that is just ending is waited for.
 *
 * @returns what lets go of it
 * @throws HostConfigurationError when another host has it and keeps it
 */
export async function lockFolder(directory: string, timeoutMs = waitMs): Promise<() => Promise<void>> {
  const name = createHash('sha256')
    .update(await realpath(directory))
    .digest('hex')
    .slice(0, 32);
  const abstract = process.platform === 'linux';
  const path = abstract ? `\0switchboard-host-${name}` : join(tmpdir(), `switchboard-host-${name}.lock`);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const server = createServer((socket) => socket.destroy());
    try {
      server.listen(path);
      await once(server, 'listening');
      server.unref();
      return async () => {
        const closed = once(server, 'close');
        server.close();
        await closed;
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (performance.now() > deadline)
        throw new HostConfigurationError(
          `another sandbox host runs in ${directory}: stop that one, or set HOST_DIR to another folder`,
        );
    }
    if (!abstract && !(await isAnswered(path))) await rm(path, { force: true });
    await sleep(100);
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
  });
}

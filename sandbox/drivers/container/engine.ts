import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import Docker from 'dockerode';

/** Sockets at which Docker and Podman listen by their own defaults; an ordinary user's Podman comes last. */
function usualSockets(): string[] {
  const own = process.env.XDG_RUNTIME_DIR;
  return ['/var/run/docker.sock', '/run/podman/podman.sock', ...(own ? [join(own, 'podman', 'podman.sock')] : [])];
}

/** The container engine of this host: DOCKER_HOST if set, else the first socket that exists. Null: there is none. */
export function findEngine(): Docker | null {
  if (process.env.DOCKER_HOST) return new Docker();
  const socketPath = usualSockets().find((path) => existsSync(path));
  return socketPath === undefined ? null : new Docker({ socketPath });
}

/**
 * A container's stdin, stdout and stderr as one stream, the latter two framed (`engine.modem.demuxStream`). dockerode's own `attach`
 * sends its options as the request's body, too, and Podman gives to the container what follows the head of an upgraded request.
 *
 * @throws Error with `statusCode` when the engine refuses
 */
export function attach(engine: Docker, container: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    engine.modem.dial(
      {
        path: `/containers/${container}/attach?`,
        method: 'POST',
        options: { stream: true, stdin: true, stdout: true, stderr: true },
        file: Buffer.alloc(0),
        isStream: true,
        hijack: true,
        openStdin: true,
        statusCodes: { 101: true, 200: true, 404: 'no such container', 500: 'server error' },
      },
      (error: unknown, stream: unknown) => (error ? reject(error) : resolve(stream as Duplex)),
    );
  });
}

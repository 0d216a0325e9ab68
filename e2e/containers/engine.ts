import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../measured-run.ts';
import { runCommand } from './run-command.ts';

/** Podman as a service on a socket of its own; its images are those of this user's Podman. */
export type Engine = {
  /** What a sandbox host needs to have Desktops started. */
  socket: string;
  /** Runs `podman <args>` there and gives what it printed. Throws an Error with what it said when it fails. */
  podman(...args: string[]): Promise<string>;
  /** What a container has written on stdout and stderr so far. */
  logs(container: string): Promise<string>;
  /** The id of an image, or undefined when there is none of that name. */
  imageId(name: string): Promise<string | undefined>;
  stop(): Promise<void>;
};

/**
 * Where the machine's groups are those of the first kind, with the second beside them and without controllers, crun takes the latter and
 * finds none. A service that does not see them uses the first.
 */
const unified = '/sys/fs/cgroup/unified';
const hideUnified = [
  'unshare',
  '-m',
  '--propagation',
  'private',
  'sh',
  '-c',
  `mount -t tmpfs tmpfs ${unified} && exec "$@"`,
  'sh',
];

/** Starts the service, with its socket and whatever its containers' monitors drop into their working directory in `folder`. */
export async function startEngine(folder: string): Promise<Engine> {
  const socket = join(folder, 'podman.sock');
  const url = `unix://${socket}`;
  const hide = existsSync(unified) && process.getuid?.() === 0;
  const [program = '', ...args] = [...(hide ? hideUnified : []), 'podman', 'system', 'service', '--time=0', url];
  const service = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  service.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<void>((resolve) => {
    service.once('error', (error) => {
      said += error.message;
      resolve();
    });
    service.once('exit', () => resolve());
  });
  const at = ['--remote', '--url', url];
  const podman = (...given: string[]) => runCommand('podman', [...at, ...given], { cwd: folder });
  const stop = async () => {
    service.kill('SIGTERM');
    await ended;
  };
  if (!(await until(() => existsSync(socket), 10_000, 50))) {
    await stop();
    throw new Error(`Podman does not start as a service (apt-get install -y podman): ${said}`);
  }
  return {
    socket,
    podman,
    logs: (container) => runCommand('podman', [...at, 'logs', container], { cwd: folder, withErrors: true }),
    imageId: async (name) => (await podman('image', 'ls', '--quiet', '--no-trunc', name)).split('\n')[0] || undefined,
    stop,
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findDescendants, isRunning } from './process-tree.ts';
import { ownEnvironment } from './processes.ts';

/** A sandbox host that runs as a process of its own, as `npm run host` starts it. */
export type SandboxHost = {
  name: string;
  pid: number;
  /** What it logged. */
  output(): string;
  /** SIGKILL to the host process alone. Gives those of its descendants that still run two seconds later. */
  kill(): Promise<number[]>;
  stop(): Promise<void>;
};

const PROGRAM = join(import.meta.dirname, '..', 'sandbox', 'index.ts');

/** Starts a host without waiting for it. `folder` is its own; `homes` may be shared with others. */
export function startSandboxHost(options: {
  name: string;
  coreUrl: string;
  token: string;
  folder: string;
  homes: string;
}): SandboxHost {
  const { name, coreUrl, token, folder, homes } = options;
  const child = spawn(process.execPath, [PROGRAM], {
    cwd: folder,
    env: {
      ...ownEnvironment(),
      ...{ CORE_URL: coreUrl, HOST_TOKEN: token, HOST_NAME: name, HOST_DIR: folder, HOMES_DIR: homes },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-256 * 1024);
    });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    name,
    pid: child.pid ?? 0,
    output: () => output,
    kill: async () => {
      const below = findDescendants(child.pid ?? 0);
      child.kill('SIGKILL');
      await exited;
      await sleep(2000);
      return below.filter(isRunning);
    },
    stop: async () => {
      if (hasEnded(child)) return;
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

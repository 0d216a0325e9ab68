import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A stand-in that runs as a process of its own (run-program.ts). */
export type RunningProgram = { url: string; pid: number; stop(): Promise<void> };

/** Starts a stand-in of this folder, e.g. `mail-sink.ts`, and waits until it listens. Throws an Error when it ends first. */
export async function startProgram(file: string, args: string[]): Promise<RunningProgram> {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A Ctrl-C is for the command that started us: it still needs this one to clean up.
    detached: true,
  });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)]);
  const url = /^listening (\S+)$/.exec(String(first?.[0] ?? ''))?.[1];
  if (!url) throw new Error(`${file} did not start`);
  return {
    url,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

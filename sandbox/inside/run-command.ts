import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunAnswer } from './messages.ts';

/** Between a shell's end and the answer: what it wrote last is still in the pipe. */
const drainMs = 100;
/** When memory is short the kernel ends commands before the screen (proc(5), oom_score_adj). */
const oomScore = 500;

/**
 * Runs `bash -lc command` in a process group of its own. When it takes too long or `signal` fires, the whole group is killed. What it
 * left in the background (`xterm &`) goes on after the answer; its output is read and thrown away, so that it never blocks.
 *
 * @throws Error when no process can be made, as after a fork bomb
 */
export async function runCommand(
  request: { command: string; timeoutMs: number; outputBytes: number },
  folder: string,
  signal: AbortSignal,
): Promise<RunAnswer> {
  const shell = spawn('bash', ['-lc', request.command], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [collect(shell.stdout, request.outputBytes), collect(shell.stderr, request.outputBytes)];

  let timedOut = false;
  const exitCode = await new Promise<number>((resolve, reject) => {
    const kill = () => killGroup(shell.pid);
    const late = setTimeout(() => {
      timedOut = true;
      kill();
    }, request.timeoutMs);
    signal.addEventListener('abort', kill, { once: true });
    const over = () => {
      clearTimeout(late);
      signal.removeEventListener('abort', kill);
    };
    shell.once('spawn', () => {
      preferWhenMemoryIsShort(shell.pid);
      if (signal.aborted) kill();
    });
    shell.once('error', (error) => {
      over();
      reject(new Error(whyNotStarted(error), { cause: error }));
    });
    shell.once('exit', (code, name) => {
      over();
      resolve(code ?? 128 + (name ? constants.signals[name] : 0));
    });
  });
  await Promise.race([Promise.all([stdout.ended, stderr.ended]), sleep(drainMs)]);
  return {
    exitCode,
    stdout: stdout.take().toString('base64'),
    stderr: stderr.take().toString('base64'),
    truncated: stdout.truncated() || stderr.truncated(),
    timedOut,
  };
}

function whyNotStarted(error: NodeJS.ErrnoException): string {
  if (error.code === 'EAGAIN') return 'the Desktop runs as many processes as it may: stop it and start it again';
  return `no command can be started now: ${error.message}`;
}

/** Raises a process's and its children's chance to be the one that the kernel ends. It may be over already, which is as good. */
export function preferWhenMemoryIsShort(pid: number | undefined): void {
  if (pid !== undefined) writeFile(`/proc/${pid}/oom_score_adj`, String(oomScore), () => {});
}

/** Kills a process that leads a group, and the group. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function collect(stream: Readable, atMost: number) {
  const chunks: Buffer[] = [];
  let kept = 0;
  let truncated = false;
  let taken = false;
  stream.on('data', (chunk: Buffer) => {
    if (taken) return;
    const part = chunk.subarray(0, atMost - kept);
    truncated ||= part.length < chunk.length;
    kept += part.length;
    if (part.length > 0) chunks.push(part);
  });
  return {
    ended: new Promise<void>((resolve) => stream.once('close', resolve)),
    truncated: () => truncated,
    take: () => {
      taken = true;
      return Buffer.concat(chunks);
    },
  };
}

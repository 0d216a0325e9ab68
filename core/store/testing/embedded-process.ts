import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const answer = z.union([
  z.object({ url: z.string(), started: z.boolean(), pid: z.number() }),
  z.object({ refused: z.string() }),
]);

/** How another process fared that opened a data directory. */
export interface EmbeddedProcess extends AsyncDisposable {
  /** undefined if it was refused */
  server: { url: string; started: boolean; pid: number } | undefined;
  /** The one sentence of the refusal, else ''. */
  refused: string;
  /** Ends it as a user would, and waits for it. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for it. */
  kill(): Promise<void>;
  /** The same process stopped in its tracks, or let go on. */
  signal(signal: NodeJS.Signals): void;
}

/** What a process may be given besides the data directory. */
export interface EmbeddedProcessOptions {
  holder?: 'core' | 'cli';
  /** An account to run as: root only. */
  uid?: number;
  gid?: number;
}

/** Opens the embedded server of a data directory in a process of its own and waits for the outcome. */
export async function openInAnotherProcess(
  dataDirectory: string,
  { holder = 'core', uid, gid }: EmbeddedProcessOptions = {},
): Promise<EmbeddedProcess> {
  const program = fileURLToPath(new URL('embedded-program.ts', import.meta.url));
  const child = spawn(process.execPath, [program, dataDirectory, holder], { stdio: 'pipe', uid, gid });
  const exited = once(child, 'exit');
  const said = text(child.stderr);
  const first = await Promise.race([once(child.stdout, 'data'), exited.then(() => undefined)]);
  if (!first) throw new Error(`the process ended without an answer: ${await said}`);
  const outcome = answer.parse(JSON.parse(String(first[0])));
  const stop = async () => {
    child.stdin.end();
    await exited;
  };
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    server: 'url' in outcome ? outcome : undefined,
    refused: 'refused' in outcome ? outcome.refused : '',
    stop,
    kill,
    signal: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: stop,
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `npx switchboard host encode`, as a process of its own. */
export interface EncoderProcess extends AsyncDisposable {
  /** What a host is configured with to find it, where it listens at a socket of its folder. */
  readonly settings: { REMOTE_ENCODER: string; REMOTE_ENCODER_TOKEN: string };
  /** Resolves when it listens; @throws Error with what it said if it ends instead. */
  ready(): Promise<void>;
  /** What it has written to stderr so far. */
  said(): string;
  /** Resolves with its exit code when it has ended; null: by a signal. */
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

const program = join(import.meta.dirname, '..', '..', 'index.ts');

/**
 * Starts it, and does not wait until it listens.
 *
 * @param folder of its own, unless another is given: one that was killed and one that follows it share a socket
 */
export async function startEncoderProcess(
  environment: Record<string, string> = {},
  folder?: string,
): Promise<EncoderProcess> {
  const directory = folder ?? (await mkdtemp(join(tmpdir(), 'encoder-')));
  const settings = {
    REMOTE_ENCODER: `unix://${directory}/encoder`,
    REMOTE_ENCODER_TOKEN: 'a token of this test alone',
  };
  const { REMOTE_ENCODER: ENCODER_LISTEN, REMOTE_ENCODER_TOKEN } = settings;
  const child = spawn(process.execPath, [program, 'encode'], {
    cwd: directory,
    env: { PATH: process.env.PATH, ENCODER_LISTEN, REMOTE_ENCODER_TOKEN, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const listening = Promise.withResolvers<void>();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('Encoder    ')) listening.resolve();
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    settings,
    async ready() {
      const failed = ended.then(() => Promise.reject(new Error(`the encoder has ended: ${said}`)));
      await Promise.race([listening.promise, failed]);
    },
    said: () => said,
    ended,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      if (folder === undefined) await rm(directory, { recursive: true });
    },
  };
}

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What `swaks` printed (the whole SMTP dialogue) and its exit code: 0 when the mail was taken. */
export type SwaksResult = { exitCode: number; output: string };

/** How to get it, for messages. */
export const SWAKS_INSTALL = 'apt-get install --yes swaks';

/** True when `swaks` (a mail client for testing, Debian package of that name) can be run. */
export async function hasSwaks(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  return runSwaks(['--version'], env).then(
    (result) => result.exitCode === 0,
    () => false,
  );
}

/** Runs `swaks` with arguments as on a command line. Throws an Error that says how to install it when it is missing. */
export async function runSwaks(args: string[], env: NodeJS.ProcessEnv = process.env): Promise<SwaksResult> {
  const child = spawn('swaks', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new Error(`swaks is not installed; run: ${SWAKS_INSTALL}`) : error);
    });
    child.once('close', (code) => resolve(code ?? -1));
  });
  const [exitCode, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { exitCode, output: out + err };
}

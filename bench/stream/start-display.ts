import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { XDisplay } from '../../sandbox/drivers/driver.ts';
import { xAuthority } from '../../sandbox/drivers/x-authority.ts';

/** An X server of a benchmark. */
export interface Display extends AsyncDisposable {
  readonly display: XDisplay;
  readonly pid: number;
}

/**
 * Starts a program that is an X server (Xvfb, Xtigervnc) on a display number that nobody has, with a cookie in `folder`.
 * Throws an Error with what it wrote when it does not start.
 */
export async function startDisplay(program: string, args: readonly string[], folder: string): Promise<Display> {
  const cookie = randomBytes(16).toString('hex');
  const authority = join(folder, `${program}-authority`);
  await writeFile(authority, xAuthority(cookie), { mode: 0o600 });
  const server = spawn(program, [...args, '-displayfd', '3', '-auth', authority, '-nolisten', 'tcp', '-noreset'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let said = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const ended = once(server, 'exit').then(() => {
    throw new Error(`${program} ended: ${said}`);
  });
  ended.catch(() => {});
  const lines = createInterface({ input: server.stdio[3] as Readable });
  const [number] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  return {
    display: { socketPath: `/tmp/.X11-unix/X${number.trim()}`, cookie },
    pid: server.pid ?? 0,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await ended.catch(() => {});
    },
  };
}

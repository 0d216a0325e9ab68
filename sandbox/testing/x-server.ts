import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { XDisplay } from '../drivers/driver.ts';
import { xAuthority } from '../drivers/x-authority.ts';

/** Whether Xvfb is installed: tests that need it skip otherwise. */
export const hasXvfb = spawnSync('Xvfb', ['-help']).error === undefined;

/** A test process that is killed disposes of nothing: util-linux has the kernel end the server with it. */
const endWithParent = spawnSync('setpriv', ['--version']).error ? [] : ['setpriv', '--pdeathsig', 'TERM'];
const startsWithinMs = 15_000;
const endsWithinMs = 2000;

/** An X server that runs for a test. */
export interface TestXServer extends AsyncDisposable {
  readonly display: XDisplay;
  /** For X programs that a test starts: DISPLAY, XAUTHORITY. */
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  /** Ends it at once, as when it crashes. */
  kill(): Promise<void>;
}

/**
 * Starts an Xvfb of its own: a display number that nobody has, a cookie that nobody else knows, no TCP. Xvfb can put its socket
 * into /tmp/.X11-unix only. Disposing of it ends it and removes its files.
 *
 * @throws Error when it does not start within 15 s, with what it wrote
 */
export async function startTestXServer(size: { width: number; height: number }): Promise<TestXServer> {
  const folder = await mkdtemp(join(tmpdir(), 'test-x-'));
  const cookie = randomBytes(16).toString('hex');
  const authority = join(folder, 'authority');
  await writeFile(authority, xAuthority(cookie), { mode: 0o600 });

  const screen = `${size.width}x${size.height}x24`;
  const command = [
    'Xvfb',
    '-displayfd',
    '3',
    '-screen',
    '0',
    screen,
    '-auth',
    authority,
    '-nolisten',
    'tcp',
    '-noreset',
  ];
  const [program = '', ...options] = [...endWithParent, ...command];
  const server = spawn(program, options, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const ended = once(server, 'exit');
  let said = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });

  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode === null && server.signalCode === null) server.kill(signal);
    // A test may have stopped it (SIGSTOP) and then failed.
    const late = setTimeout(() => server.kill('SIGKILL'), endsWithinMs);
    await ended;
    clearTimeout(late);
  }

  const number = await Promise.race([
    firstLine(server.stdio[3] as Readable),
    ended.then(() => undefined),
    new Promise<undefined>((resolve) => setTimeout(resolve, startsWithinMs, undefined).unref()),
  ]);
  const { pid } = server;
  if (number === undefined || pid === undefined) {
    await stop('SIGKILL');
    await rm(folder, { recursive: true });
    throw new Error(`Xvfb did not start: ${said.trim() || 'it wrote nothing'}`);
  }

  return {
    display: { socketPath: `/tmp/.X11-unix/X${number}`, cookie },
    env: { ...process.env, DISPLAY: `:${number}`, XAUTHORITY: authority },
    pid,
    kill: () => stop('SIGKILL'),
    [Symbol.asyncDispose]: async () => {
      await stop('SIGTERM');
      await removeLeftOvers(number, pid);
      await rm(folder, { recursive: true });
    },
  };
}

/** What a server that was killed leaves in /tmp: its lock file and its socket, unless they are another's by now. */
async function removeLeftOvers(number: string, pid: number): Promise<void> {
  const lock = `/tmp/.X${number}-lock`;
  const owner = await readFile(lock, 'utf8').catch(() => '');
  if (Number(owner) !== pid) return;
  await rm(`/tmp/.X11-unix/X${number}`, { force: true });
  await rm(lock, { force: true });
}

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.trim();
}

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { preferWhenMemoryIsShort } from './run-command.ts';

const execute = promisify(execFile);

/** The X server and the window manager must say that they run within this time; on a busy machine that takes a second. */
const startWithinMs = 10_000;
/**
 * Xvfb can be resized at will, but never beyond the size that it was started with. Memory is taken for pixels that were drawn only.
 */
const largest = { width: 3840, height: 2400 };
/** A terminal that ends at once is not started again faster than this. */
const terminalPauseMs = 1000;

/** A Desktop's screen at work. */
export interface Screen {
  /** The X display's number: 0 where the sandbox has its own /tmp. */
  display: number;
  /** Resolves with the reason when the X server or the window manager has died. */
  ended: Promise<string>;
  stop(): void;
}

/**
 * Starts the X server in the size that is wanted, then window manager, background and terminal. Sets `DISPLAY` of this process, for
 * all that it starts later. Returns when the window manager runs; the terminal appears a moment after.
 *
 * @throws Error with what the program wrote when one does not start
 */
export async function startScreen(size: { width: number; height: number }, authority: string): Promise<Screen> {
  const server = spawn('Xvfb', serverArguments(authority), { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const display = Number(await firstLine(server, 'Xvfb', server.stdio[3] as Readable));
  process.env.DISPLAY = `:${display}`;
  await resize(size);

  const [manager] = await Promise.all([startWindowManager(), execute('xsetroot', ['-solid', '#22272e'])]);
  const terminal = keepTerminal();
  return {
    display,
    ended: Promise.race([
      once(server, 'exit').then(() => 'the X server has ended'),
      once(manager, 'exit').then(() => 'the window manager has ended'),
    ]),
    stop() {
      terminal.stop();
      manager.kill();
      server.kill();
    },
  };
}

function serverArguments(authority: string): string[] {
  const picture = `${largest.width}x${largest.height}x24`;
  return ['-displayfd', '3', '-screen', '0', picture, '-auth', authority, '-nolisten', 'tcp', '-noreset', '-dpi', '96'];
}

/** A mode of RANDR: only its size and the 60 Hz that browsers draw by mean something to Xvfb. */
async function resize({ width, height }: { width: number; height: number }): Promise<void> {
  if (width === largest.width && height === largest.height) return;
  const name = `${width}x${height}`;
  const clock = ((width * height * 60) / 1e6).toFixed(3);
  const [w, h] = [String(width), String(height)];
  await execute('xrandr', ['--newmode', name, clock, w, w, w, w, h, h, h, h]);
  await execute('xrandr', ['--addmode', 'screen', name]);
  await execute('xrandr', ['--output', 'screen', '--mode', name]);
}

/** openbox runs its startup command once it manages windows. */
async function startWindowManager(): Promise<ChildProcess> {
  const manager = spawn('openbox', ['--sm-disable', '--startup', 'echo running'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await firstLine(manager, 'openbox', manager.stdout);
  return manager;
}

/** A Desktop always has a terminal: whoever closes it gets a new one. */
function keepTerminal(): { stop(): void } {
  let wanted = true;
  let current: ChildProcess | undefined;
  void (async () => {
    while (wanted) {
      current = spawn('xterm', ['-maximized', '-title', 'Terminal'], { stdio: 'ignore', detached: true });
      // what could not be started, as after a fork bomb, is tried again
      const over = new Promise((resolve) => {
        current?.once('exit', resolve);
        current?.once('error', resolve);
      });
      preferWhenMemoryIsShort(current.pid);
      await Promise.all([over, sleep(terminalPauseMs)]);
    }
  })();
  return {
    stop() {
      wanted = false;
      current?.kill();
    },
  };
}

/** The first line of `output`. Everything the program writes on stderr is read, so that it never blocks, and the start of it kept. */
async function firstLine(program: ChildProcess, name: string, output: Readable): Promise<string> {
  let said = '';
  program.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 2000) said += text;
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${name} ${why}${said.trim() ? `: ${said.trim()}` : ''}`));
    const late = setTimeout(() => fail(`did not start within ${startWithinMs / 1000} s`), startWithinMs);
    let line = '';
    output.on('data', (chunk: Buffer) => {
      line += chunk.toString();
      if (!line.includes('\n')) return;
      clearTimeout(late);
      resolve(line.trim());
    });
    program.once('error', (error) => fail(`cannot be started (${error.message})`));
    program.once('close', () => fail('has ended'));
  });
}

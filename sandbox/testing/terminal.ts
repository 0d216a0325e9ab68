import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether xterm is installed: tests that type skip otherwise. */
export const hasXterm = spawnSync('xterm', ['-version']).error === undefined;

/** An xterm that keeps what is typed into it. */
export interface TestTerminal extends AsyncDisposable {
  /** What has arrived in its shell. */
  typed(): Promise<string>;
  /** Waits until as much has arrived as was sent, or nothing more does; answers all of it, and forgets it. */
  take(expected: string): Promise<string>;
}

/** Xterm draws slowly on a machine that is busy: nothing new for so long is the end. */
const quietMs = 1500;

/**
 * Opens an xterm at the upper left corner, without a window manager: it has the keyboard while the pointer is over it. Its program
 * reads bytes as a program in a terminal does, not lines: what it gets is what was typed.
 */
export async function openTestTerminal(env: NodeJS.ProcessEnv): Promise<TestTerminal> {
  const folder = await mkdtemp(join(tmpdir(), 'test-terminal-'));
  const file = join(folder, 'typed');
  const terminal = spawn(
    'xterm',
    ['-u8', '-geometry', '100x20+0+0', '-e', `stty -icanon -echo -isig -iexten -ixon; exec cat > ${file}`],
    { env: { ...env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' }, stdio: 'ignore' },
  );
  const ended = once(terminal, 'exit');
  while (!existsSync(file)) {
    if (terminal.exitCode !== null) throw new Error(`xterm ended with ${terminal.exitCode}`);
    await sleep(20);
  }
  await sleep(200);

  let taken = 0;
  const typed = async () => (await readFile(file)).subarray(taken).toString('utf8');
  return {
    typed,
    take: async (expected) => {
      let seen = '';
      let since = performance.now();
      while (seen !== expected && performance.now() - since < quietMs) {
        await sleep(10);
        const now = await typed();
        if (now !== seen) since = performance.now();
        seen = now;
      }
      taken += Buffer.byteLength(seen);
      return seen;
    },
    [Symbol.asyncDispose]: async () => {
      if (terminal.exitCode === null && terminal.signalCode === null) terminal.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { secretText } from './terminal-house.ts';
import { VirtualScreen } from './virtual-screen.ts';

const program = join(import.meta.dirname, '..', 'chat.ts');

/** How the chat is started. */
export interface ChatOptions {
  /** Where the core listens. */
  port: number;
  args?: string[];
  /** Beside PORT and SECRET_KEY; `undefined` takes one of them away. */
  env?: Record<string, string | undefined>;
}

/** `chat.ts` as a program that reads from a pipe. */
export interface PipedProgram extends AsyncDisposable {
  write(text: string): void;
  end(): void;
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Reads no further, as `head -1` does. */
  closeStdout(): void;
  exited: Promise<number | null>;
}

/** `chat.ts` on a pseudo terminal, and its screen. */
export interface ScreenProgram extends AsyncDisposable {
  /** Presses keys. */
  type(keys: string): void;
  screen: VirtualScreen;
  /** Everything that was written to the terminal, as it was. */
  output(): string;
  /** Waits until the screen shows it, and gives the whole screen; throws with the screen after 10 s. */
  until(shown: string | RegExp | ((text: string) => boolean)): Promise<string>;
  /** Sends a signal to the program itself. */
  signal(name: NodeJS.Signals): void;
  exited: Promise<number | null>;
}

/** Starts the chat with its input, output and error on pipes. */
export function startPiped(options: ChatOptions): PipedProgram {
  const { child, dispose } = start(process.execPath, [program, ...(options.args ?? [])], options);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    write: (text) => void child.stdin?.write(text),
    end: () => void child.stdin?.end(),
    stdout: () => stdout,
    stderr: () => stderr,
    signal: (name) => void child.kill(name),
    closeStdout: () => void child.stdout?.destroy(),
    exited: exitOf(child),
    [Symbol.asyncDispose]: dispose,
  };
}

/** Starts the chat on a pseudo terminal made by `script` (util-linux), which every Debian has. */
export function startOnScreen(options: ChatOptions & { columns?: number; rows?: number }): ScreenProgram {
  const { columns = 60, rows = 20 } = options;
  const command = [process.execPath, program, ...(options.args ?? [])].map((word) => `'${word}'`).join(' ');
  const pidFile = join(mkdtempSync(join(tmpdir(), 'switchboard-chat-')), 'pid');
  const { child, dispose } = start(
    'script',
    ['-qfec', `stty cols ${columns} rows ${rows}; echo $$ > '${pidFile}'; exec ${command}`, '/dev/null'],
    options,
  );
  const screen = new VirtualScreen(columns, rows);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    screen.write(text);
  });
  return {
    type: (keys) => void child.stdin?.write(keys),
    screen,
    output: () => output,
    signal: (name) => void process.kill(Number(readFileSync(pidFile, 'utf8')), name),
    exited: exitOf(child),
    async until(shown) {
      const isShown = (text: string) =>
        typeof shown === 'function' ? shown(text) : typeof shown === 'string' ? text.includes(shown) : shown.test(text);
      for (const deadline = performance.now() + 10_000; !isShown(screen.text()); await sleep(5))
        if (performance.now() > deadline) throw new Error(`the screen never showed ${shown}:\n${screen.text()}`);
      return screen.text();
    },
    async [Symbol.asyncDispose]() {
      await dispose();
      rmSync(dirname(pidFile), { recursive: true, force: true });
    },
  };
}

function start(
  command: string,
  args: string[],
  { port, env }: ChatOptions,
): { child: ChildProcess; dispose: () => Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-chat-'));
  const child = spawn(command, args, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      PORT: String(port),
      SECRET_KEY: secretText,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin?.on('error', () => undefined);
  const exited = exitOf(child);
  return {
    child,
    async dispose() {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
}

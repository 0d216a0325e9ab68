import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../core/store/embedded/free-port.ts';
import { findDatabaseProcesses, findDescendants, isRunning } from './process-tree.ts';

/** How a core is started. */
export type CoreOptions = {
  /** DATA_DIR; made when it is not there. */
  dataDirectory: string;
  /** Settings beside those that {@link startCore} makes; `undefined` takes one of them away. */
  env?: Record<string, string | undefined>;
  /** HTTP's port and SMTP's; default free ones. A core that is to be found again after a restart keeps its ports. */
  port?: number;
  smtpPort?: number;
  /** What Node runs; default `main.ts start`. */
  program?: string[];
};

/** How a core ended. */
export type CoreExit = { code: number | null; signal: NodeJS.Signals | null };

/** A core that runs as a process of its own. */
export type Core = {
  pid: number;
  /** HTTP, on 127.0.0.1. */
  port: number;
  smtpPort: number;
  /** `http://127.0.0.1:<port>` */
  url: string;
  dataDirectory: string;
  /** Settles when the process has ended, however it did. */
  exited: Promise<CoreExit>;
  /** Until `GET /readyz` is 200; throws an Error with the output when the core ends first or takes longer. */
  waitReady(ms?: number): Promise<void>;
  /** What it printed on stdout and stderr, the last 256 KiB. */
  output(): string;
  /** The same of one of the two. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal to the core alone; false when it has ended already. SIGKILL leaves its database running. */
  kill(signal: NodeJS.Signals): boolean;
  /** SIGKILL to the core, all its children and every process of its embedded database; returns when they are gone. */
  killEverything(): Promise<void>;
  /** SIGTERM, and waits; throws an Error with the output when it takes longer. */
  stop(ms?: number): Promise<CoreExit>;
  /** Resident memory of the core alone, in bytes. */
  rss(): number;
  /** How many files and sockets the core alone has open. */
  fileDescriptors(): number;
};

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const KEPT_OUTPUT = 256 * 1024;

/** What a core sees of our environment: no setting of the person who runs the tests. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'TMPDIR', 'TZ'];

/** The environment that a process of the product gets beside its settings. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
}

/** An empty folder for a core's data, under the system's folder for temporary files; the caller removes it. */
export function makeDataDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'switchboard-e2e-'));
}

/**
 * Starts the whole product as a child process on free ports of 127.0.0.1, without waiting until it is ready. Its working
 * directory is the data directory, so that no `.env` is read. Linux only: it reads /proc.
 */
export async function startCore(options: CoreOptions): Promise<Core> {
  const { dataDirectory } = options;
  await mkdir(dataDirectory, { recursive: true });
  const port = options.port ?? (await findFreePort());
  let smtpPort = options.smtpPort ?? port;
  while (smtpPort === port) smtpPort = await findFreePort();
  const env = {
    ...ownEnvironment(),
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: `http://localhost:${port}`,
    // Only a house that shows Desktops runs a sandbox host.
    EMBEDDED_HOST: 'false',
    SMTP_LISTEN: `127.0.0.1:${smtpPort}`,
    DATA_DIR: dataDirectory,
    ...options.env,
  };
  const child = spawn(process.execPath, options.program ?? [MAIN, 'start'], {
    cwd: dataDirectory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return coreOf(child, { dataDirectory, port, smtpPort });
}

async function coreOf(
  child: ChildProcess,
  place: { dataDirectory: string; port: number; smtpPort: number },
): Promise<Core> {
  const url = `http://127.0.0.1:${place.port}`;
  const exited = new Promise<CoreExit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  const output = collectOutput(child.stdout, child.stderr);
  const stdout = collectOutput(child.stdout);
  const stderr = collectOutput(child.stderr);
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const pid = child.pid ?? 0;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;

  return {
    ...place,
    pid,
    url,
    exited,
    output,
    stdout,
    stderr,
    waitReady: async (ms = 60_000) => {
      const deadline = performance.now() + ms;
      while (!(await isReady(url))) {
        if (hasEnded()) throw new Error(`The core ended before it was ready:\n${output()}`);
        if (performance.now() > deadline) throw new Error(`The core was not ready within ${ms} ms:\n${output()}`);
        await sleep(25);
      }
    },
    kill: (signal) => child.kill(signal),
    killEverything: async () => {
      for (const deadline = performance.now() + 10_000; ; ) {
        const own = hasEnded() ? [] : [pid, ...findDescendants(pid)];
        const running = [...own, ...findDatabaseProcesses(place.dataDirectory)].filter(isRunning);
        if (running.length === 0) break;
        if (performance.now() > deadline) throw new Error(`still running after SIGKILL: ${running.join(', ')}`);
        for (const each of running) killIfThere(each);
        await sleep(5);
      }
      await exited;
    },
    stop: async (ms = 60_000) => {
      child.kill('SIGTERM');
      const late = new AbortController();
      const tooLate = sleep(ms, undefined, { signal: late.signal }).then(() => {
        throw new Error(`The core did not end within ${ms} ms of SIGTERM:\n${output()}`);
      });
      return Promise.race([exited, tooLate]).finally(() => late.abort());
    },
    rss: () => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1024,
    fileDescriptors: () => readdirSync(`/proc/${pid}/fd`).length,
  };
}

function collectOutput(...streams: (Readable | null)[]): () => string {
  let kept = '';
  for (const stream of streams) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      kept = (kept + text).slice(-KEPT_OUTPUT);
    });
  }
  return () => kept;
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

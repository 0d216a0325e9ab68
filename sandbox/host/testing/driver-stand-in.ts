import { execFile } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Driver, DriverError, type Sandbox, type SandboxRequest } from '../../drivers/driver.ts';
import { startTestXServer } from '../../testing/x-server.ts';

const execute = promisify(execFile);

/** A Driver that isolates nothing, and what has become of it. */
export interface DriverStandIn extends Driver {
  /** The sandboxes that run, by the Desktop's id, and what ends them as if they had died. */
  readonly running: Map<string, { request: SandboxRequest; die(reason: string): void }>;
  /** How often one was started. */
  starts: number;
  /** The most that were starting at the same time. */
  mostAtOnce: number;
  /** Makes the next starts fail with this sentence. */
  failure: string | undefined;
  /** How long a start takes at least, in milliseconds. */
  startMs: number;
}

/**
 * A Driver whose sandboxes are folders. With `screens` each has a real X server; without, the display leads nowhere, for what is not
 * about pictures.
 */
export function driverStandIn({ screens }: { screens: boolean }): DriverStandIn {
  let starting = 0;
  const driver: DriverStandIn = {
    name: 'unisolated',
    running: new Map(),
    starts: 0,
    mostAtOnce: 0,
    failure: undefined,
    startMs: 0,
    probe: async () => ({ name: 'unisolated', works: true, detail: 'a stand-in' }),
    probeSound: async () => ({ name: 'pulseaudio', works: false, detail: 'a stand-in' }),
    sweep: async () => undefined,
    async start(request) {
      driver.starts += 1;
      starting += 1;
      driver.mostAtOnce = Math.max(driver.mostAtOnce, starting);
      try {
        await new Promise((resolve) => setTimeout(resolve, driver.startMs));
        if (driver.failure !== undefined) throw new DriverError(driver.failure);
        return await sandboxOf(driver, request, screens);
      } finally {
        starting -= 1;
      }
    },
  };
  return driver;
}

async function sandboxOf(driver: DriverStandIn, request: SandboxRequest, screens: boolean): Promise<Sandbox> {
  const server = screens ? await startTestXServer(request) : undefined;
  const over = Promise.withResolvers<string>();
  driver.running.set(request.desktop, { request, die: over.resolve });
  const inHome = (path: string) => join(request.home, path);
  return {
    display: server?.display ?? { socketPath: join(request.runtime, 'X'), cookie: '0'.repeat(32) },
    sound: { state: 'off' },
    async run({ command, timeoutMs, outputBytes, signal }) {
      const { stdout, stderr } = await execute('bash', ['-c', command], {
        cwd: request.home,
        timeout: timeoutMs,
        maxBuffer: outputBytes,
        signal,
      });
      return { exitCode: 0, stdout, stderr, truncated: false, timedOut: false };
    },
    async openUrl(url) {
      await writeFile(inHome('opened'), url);
    },
    async readFile(path, offset, bytes) {
      const size = await stat(inHome(path)).catch(() => undefined);
      if (!size) throw new DriverError(`there is no file ${path}: list the folder first`);
      return { data: (await readFile(inHome(path))).subarray(offset, offset + bytes), size: size.size };
    },
    async writeFile(path, data) {
      await mkdir(dirname(inHome(path)), { recursive: true });
      await writeFile(inHome(path), data);
    },
    ended: over.promise,
    async stop() {
      driver.running.delete(request.desktop);
      await server?.[Symbol.asyncDispose]();
    },
  };
}

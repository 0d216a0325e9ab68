import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectX } from '../../x11/connect.ts';
import type { CommandResult, Driver, Limits, Network, Sandbox, SandboxRequest } from '../driver.ts';

export const testLimits: Limits = { memoryBytes: 1_500_000_000, cpus: 2, processes: 150, diskBytes: 300_000_000 };

/** A Desktop's folders, as a host makes them: under a folder that only this user may enter. Disposing of it removes them. */
export interface TestFolders extends AsyncDisposable {
  home: string;
  runtime: string;
  /** Another runtime folder. */
  another(): Promise<string>;
  request(changed?: {
    limits?: Partial<Limits>;
    network?: Network;
    width?: number;
    height?: number;
    sound?: boolean;
  }): SandboxRequest;
}

export async function makeFolders(desktop = `d-${randomUUID().slice(0, 8)}`): Promise<TestFolders> {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-test-'));
  const [home, runtime] = [join(folder, 'homes', 'h-1'), join(folder, 'run')];
  await mkdir(home, { recursive: true });
  await mkdir(runtime);
  return {
    home,
    runtime,
    another: () => mkdtemp(join(folder, 'run-')),
    request: ({ limits, network, width = 640, height = 480, sound = false } = {}) => ({
      desktop,
      home,
      runtime,
      limits: { ...testLimits, ...limits },
      network: network ?? { kind: 'none' },
      width,
      height,
      sound,
    }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** A sandbox that ends with the test that started it, its folders with it. */
export async function startTestSandbox(
  driver: Driver,
  changed?: Parameters<TestFolders['request']>[0],
): Promise<{ sandbox: Sandbox; folders: TestFolders } & AsyncDisposable> {
  const folders = await makeFolders();
  try {
    const sandbox = await driver.start(folders.request(changed));
    return {
      sandbox,
      folders,
      [Symbol.asyncDispose]: async () => {
        await sandbox.stop();
        await folders[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folders[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a command with room for time and output. */
export function run(sandbox: Sandbox, command: string, timeoutMs = 10_000): Promise<CommandResult> {
  return sandbox.run({ command, timeoutMs, outputBytes: 100_000 });
}

/** The sizes of the windows that are on the screen, with the window manager's frames. */
export async function windowSizes(sandbox: Sandbox): Promise<{ width: number; height: number }[]> {
  await using x = await connectX(sandbox.display);
  const { children } = await x.ask<{ children: number[] }>((reply) => x.client.QueryTree(x.root, reply));
  return Promise.all(
    children.map((window) => x.ask<{ width: number; height: number }>((reply) => x.client.GetGeometry(window, reply))),
  );
}

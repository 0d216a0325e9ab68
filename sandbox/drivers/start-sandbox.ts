import { join } from 'node:path';
import type { SoundState, SupervisorOptions } from '../inside/messages.ts';
import { watchDisk } from './disk-watch.ts';
import { DriverError, type Sandbox, type SandboxRequest, type SandboxSound, type XDisplay } from './driver.ts';
import { startFilteringProxy } from './proxy/filtering-proxy.ts';
import { fillRuntimeFolder, type Owner, type RuntimeFolder, soundSocketNames } from './runtime-folder.ts';
import { type SupervisorProcess, superviseSandbox } from './supervised-sandbox.ts';

/** A supervisor that a driver has started. */
export interface Launched {
  supervisor: SupervisorProcess;
  /** What is in files on the home's file system that are open inside and have no name; absent where that cannot be known. */
  bytesOfRemovedFiles?(): Promise<number>;
  /** Ends every process of the sandbox, however it behaves, and removes what was made for it. Returns when they are gone. */
  end(): Promise<void>;
}

/** What drivers differ in. */
export interface SandboxPlan {
  /** Who the processes inside are, for the host's kernel. */
  user: Owner;
  /** Who they are inside. */
  inside: Owner;
  /** The paths, inside, of what the supervisor is told. */
  paths(
    runtime: RuntimeFolder,
  ): Pick<SupervisorOptions, 'home' | 'authority'> & { proxySocket: string; sockets: string };
  ownsAllProcesses: boolean;
  /** Where the host finds the X socket; without it: in the runtime folder. */
  display?(runtime: RuntimeFolder, number: number): Promise<XDisplay>;
  /** @throws Error when it could not be started; nothing of it is left then */
  launch(runtime: RuntimeFolder, options: SupervisorOptions): Promise<Launched>;
}

/**
 * Starts a sandbox the way that all drivers share: the runtime folder, the way out, the supervisor and its screen, the watch over the
 * disk. If one of them fails, the others are ended.
 *
 * @throws DriverError
 */
export async function startSandbox(request: SandboxRequest, plan: SandboxPlan): Promise<Sandbox> {
  await using undo = new AsyncDisposableStack();
  const runtime = await fillRuntimeFolder(request.runtime, plan.user, plan.inside);
  const proxy = await startFilteringProxy(request.network, runtime.proxySocket, plan.user);
  if (proxy) undo.defer(() => proxy.close());

  const { proxySocket, sockets, ...paths } = plan.paths(runtime);
  const launched = await plan.launch(runtime, {
    ...paths,
    width: request.width,
    height: request.height,
    proxySocket: proxy && proxySocket,
    sound: request.sound
      ? { server: join(sockets, soundSocketNames.server), capture: join(sockets, soundSocketNames.capture) }
      : null,
    ownsAllProcesses: plan.ownsAllProcesses,
  });
  undo.defer(() => launched.end());
  const supervised = await superviseSandbox(launched.supervisor);
  const display = await (plan.display?.(runtime, supervised.display) ?? runtime.display(supervised.display));
  const sound = await soundOf(supervised.sound, runtime);
  const disk = await watchDisk(request.home, [runtime.sockets], request.limits.diskBytes, launched.bytesOfRemovedFiles);
  undo.defer(() => disk.stop());

  const resources = undo.move();
  let over: Promise<void> | undefined;
  function stop(why: string): Promise<void> {
    over ??= supervised.leave(why).finally(() => resources.disposeAsync());
    return over;
  }
  const { run, openUrl, readFile, writeFile } = supervised;
  const ended = Promise.race([supervised.ended, disk.passed]).then((reason) =>
    stop(reason).then(
      () => reason,
      (error: unknown) => `${reason}; and ${error instanceof Error ? error.message : error}`,
    ),
  );
  return { display, sound, run, openUrl, readFile, writeFile, ended, stop: () => stop('it was stopped') };
}

/** What cannot be heard is a Desktop all the same. */
async function soundOf(said: SoundState, runtime: RuntimeFolder): Promise<SandboxSound> {
  if (said.state !== 'on') return said;
  try {
    return { state: 'on', socketPath: await runtime.capture() };
  } catch (error) {
    // What programs inside have put there or taken away is no fault of the host.
    if (!(error instanceof DriverError) && !(error as NodeJS.ErrnoException).syscall) throw error;
    return { state: 'missing', why: (error as Error).message };
  }
}

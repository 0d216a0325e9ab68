import { access, constants, mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from '../driver.ts';

/** CFS counts a group's time in periods of so many microseconds (cgroups-v2, "cpu.max"; the default of both versions). */
const periodMicroseconds = 100_000;
/** How long the kernel may take to let go of a group whose processes were killed. */
const emptyWithinMs = 5000;
/** A group gets its first process within milliseconds. */
const abandonedAfterMs = 60_000;

/** Folders in which a group can be made, one in v2, one a controller in v1. */
export type GroupParents = { version: 2; all: string } | { version: 1; memory: string; cpu: string; pids: string };

/** A control group of one Desktop: what is written into `cgroup.procs` is limited. */
export interface ControlGroup {
  /** The files that a process writes its id into to enter; as root of this host, before it gives up its rights. */
  readonly entrances: readonly string[];
  /** Removes it, once the last process is gone. */
  remove(): Promise<void>;
}

/**
 * Where groups with memory, cpu and pids can be made here; null: nowhere. With v2 that is the root of the hierarchy (a group that has
 * processes of its own, such as ours, cannot pass controllers on: cgroups-v2, "No Internal Process Constraint"); with v1 our own group.
 */
export async function findGroupParents(): Promise<GroupParents | null> {
  const mounts = await mountedHierarchies();
  const unified = mounts.get('');
  if (unified !== undefined) {
    const controllers = await readFile(join(unified, 'cgroup.controllers'), 'utf8').catch(() => '');
    const has = controllers.trim().split(' ');
    if (['memory', 'cpu', 'pids'].every((name) => has.includes(name))) {
      try {
        await writeFile(join(unified, 'cgroup.subtree_control'), '+memory +cpu +pids');
        if (await isWritable(unified)) return { version: 2, all: unified };
      } catch {
        // not ours to divide: limits of another kind are used then, and the report says which
        return null;
      }
    }
  }
  const own = await ownGroups();
  const folder = (controller: string) => join(mounts.get(controller) ?? '', own.get(controller) ?? '');
  const [memory, cpu, pids] = [folder('memory'), folder('cpu'), folder('pids')];
  const writable = await Promise.all([memory, cpu, pids].map((path) => path !== '' && isWritable(path)));
  return writable.every(Boolean) ? { version: 1, memory, cpu, pids } : null;
}

/** Makes a group with its limits. What an earlier one of this name left is removed first. */
export async function makeGroup(parents: GroupParents, name: string, limits: Limits): Promise<ControlGroup> {
  const folders = foldersOf(parents, name);
  const quota = Math.max(1000, Math.round(limits.cpus * periodMicroseconds));
  await removeFolders(folders);
  for (const folder of folders) await mkdir(folder);
  if (parents.version === 2) {
    const set = (file: string, value: string) => writeFile(join(parents.all, name, file), value);
    await set('memory.max', String(limits.memoryBytes));
    await set('memory.swap.max', '0').catch(ignoreAbsent);
    await set('cpu.max', `${quota} ${periodMicroseconds}`);
    await set('pids.max', String(limits.processes));
  } else {
    await writeFile(join(parents.memory, name, 'memory.limit_in_bytes'), String(limits.memoryBytes));
    // memory and swap together; absent where the kernel does not count swap
    await writeFile(join(parents.memory, name, 'memory.memsw.limit_in_bytes'), String(limits.memoryBytes)).catch(
      ignoreAbsent,
    );
    await writeFile(join(parents.cpu, name, 'cpu.cfs_period_us'), String(periodMicroseconds));
    await writeFile(join(parents.cpu, name, 'cpu.cfs_quota_us'), String(quota));
    await writeFile(join(parents.pids, name, 'pids.max'), String(limits.processes));
  }
  return {
    entrances: folders.map((folder) => join(folder, 'cgroup.procs')),
    remove: () => removeFolders(folders),
  };
}

/** The names of the groups that were made here and begin so. */
export async function groupNames(parents: GroupParents, prefix: string): Promise<string[]> {
  const found = await Promise.all(foldersOf(parents, '').map((folder) => readdir(folder)));
  return [...new Set(found.flat())].filter((name) => name.startsWith(prefix));
}

/** Kills what is in a group of that name, and removes it. */
export async function endGroup(parents: GroupParents, name: string): Promise<void> {
  await removeFolders(foldersOf(parents, name));
}

/**
 * Removes the groups of that prefix in which nothing runs and that are no longer new: what hosts left behind that never came back.
 * Somebody else may have removed one meanwhile, or be starting a process there after all: it stays then.
 */
export async function removeAbandoned(parents: GroupParents, prefix: string): Promise<void> {
  for (const name of await groupNames(parents, prefix))
    for (const folder of foldersOf(parents, name)) {
      const made = (await stat(folder).catch(() => undefined))?.mtimeMs ?? Date.now();
      if (Date.now() - made > abandonedAfterMs)
        await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EBUSY' && error.code !== 'ENOENT') throw error;
        });
    }
}

function foldersOf(parents: GroupParents, name: string): string[] {
  const all = parents.version === 2 ? [parents.all] : [parents.memory, parents.cpu, parents.pids];
  return [...new Set(all)].map((folder) => join(folder, name));
}

/** A group can be removed when nothing runs in it, and a process that is killed takes a moment. */
async function removeFolders(folders: readonly string[]): Promise<void> {
  const until = Date.now() + emptyWithinMs;
  for (const folder of folders)
    for (;;) {
      try {
        await rmdir(folder);
        break;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') break;
        if (code !== 'EBUSY' || Date.now() > until) throw error;
      }
      for (const pid of (await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n'))
        if (pid !== '') kill(Number(pid));
      await sleep(10);
    }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Controller → mount point; '' is v2 (proc(5), /proc/self/mounts). */
async function mountedHierarchies(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const line of (await readFile('/proc/self/mounts', 'utf8')).split('\n')) {
    const [, folder, type, options] = line.split(' ');
    if (folder === undefined) continue;
    if (type === 'cgroup2') found.set('', folder);
    if (type === 'cgroup') for (const option of options?.split(',') ?? []) found.set(option, folder);
  }
  return found;
}

/** Controller → our own group in its v1 hierarchy (cgroups(7), /proc/self/cgroup). */
async function ownGroups(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const line of (await readFile('/proc/self/cgroup', 'utf8')).split('\n')) {
    const [, controllers, path] = line.split(':');
    for (const controller of controllers?.split(',') ?? []) if (path !== undefined) found.set(controller, path);
  }
  return found;
}

async function isWritable(folder: string): Promise<boolean> {
  return access(join(folder, 'cgroup.procs'), constants.W_OK)
    .then(() => access(folder, constants.W_OK))
    .then(
      () => true,
      () => false,
    );
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'EACCES') throw error;
}

import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { lockFolder } from './folder-lock.ts';
import { removeFolder } from './remove-folder.ts';

/** A UNIX socket's path has at most 107 bytes (unix(7)); a driver's own names take some of that. */
const socketFolderAtMost = 70;

/** The folder of a host, while it is this process's alone. */
export interface HostFolder {
  /** The host's id: the same at every start in this folder. */
  readonly host: string;
  readonly recordings: string;
  /** Makes a home folder, or finds the one that is there. */
  openHome(name: string): Promise<string>;
  /** Makes an empty folder for the sockets of a Desktop: its path is short enough for them. */
  openRuntime(desktop: string): Promise<string>;
  removeRuntime(path: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the folder of a host, making what is missing, readable by this user only.
 *
 * @param from `name`: what the host is called, if somebody named it; `homes`: where home folders are, if elsewhere
 * @throws HostConfigurationError when another host runs in it
 */
export async function openHostFolder(from: { directory: string; homes?: string; name?: string }): Promise<HostFolder> {
  const directory = resolve(from.directory);
  const homes = resolve(from.homes ?? join(directory, 'homes'));
  const recordings = join(directory, 'recordings');
  for (const folder of [directory, homes, recordings]) await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(directory);
  try {
    const host = from.name === undefined ? await keptName(join(directory, 'name')) : withPrefix(from.name);
    const runtimes = await runtimesIn(directory);
    return {
      host,
      recordings,
      async openHome(name) {
        const home = join(homes, name);
        await mkdir(home, { recursive: true, mode: 0o700 });
        // Whoever works in it may have shut it, and a Desktop that cannot enter its home does not start.
        const { mode } = await stat(home);
        if ((mode & 0o700) !== 0o700) await chmod(home, 0o700);
        return home;
      },
      async openRuntime(desktop) {
        const runtime = join(runtimes, createHash('sha256').update(desktop).digest('hex').slice(0, 12));
        await removeFolder(runtime);
        await mkdir(runtime, { mode: 0o700 });
        return runtime;
      },
      removeRuntime: removeFolder,
      close: unlock,
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Host ids begin with `h-`, like all ids. */
function withPrefix(name: string): string {
  return name.startsWith('h-') ? name : `h-${name}`;
}

async function keptName(file: string): Promise<string> {
  try {
    const kept = (await readFile(file, 'utf8')).trim();
    if (/^h-[a-z0-9-]{1,62}$/.test(kept)) return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = `h-${randomBytes(6).toString('hex')}`;
  await writeFile(file, `${made}\n`, { mode: 0o600 });
  return made;
}

/** `runtime` in the host's folder, or where that path is too long for sockets a folder of ours among the temporary ones. */
async function runtimesIn(directory: string): Promise<string> {
  const near = join(directory, 'runtime');
  const short = Buffer.byteLength(near) <= socketFolderAtMost;
  const runtimes = short
    ? near
    : join(tmpdir(), `switchboard-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`);
  await mkdir(runtimes, { recursive: true, mode: 0o700 });
  // Among the temporary folders somebody else may have made it first, to read what lies in it.
  const { uid } = await lstat(runtimes);
  if (uid !== process.getuid?.())
    throw new Error(`${runtimes} belongs to another user: remove it, or set HOST_DIR to a shorter path`);
  await chmod(runtimes, 0o700);
  return runtimes;
}

import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { serverEnvironment } from './cluster-files.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import { explainUnusableBinaries } from './explain-failure.ts';
import type { ServerAccount } from './server-account.ts';
import type { ServerBinaries } from './server-binaries.ts';

const run = promisify(execFile);

/** EACCES: it may not be reached. EPERM: we may not change the account. A number: it ran, and ended with that. */
type RunFailure = Error & { code?: string | number; stderr?: string };

/**
 * The programs at a place from which the account may run them: where they are, unless they lie under a folder that only root may
 * enter. Then a copy, made once for each version, that belongs to root and that nobody else can write to: in
 * /var/lib/switchboard, or else in the system's temporary folder. No folder of the user's is opened to anybody.
 *
 * @param account undefined where PostgreSQL runs as ourselves
 * @throws ConfigurationError if it can be run from nowhere
 */
export async function reachableBinaries(
  binaries: ServerBinaries,
  account: ServerAccount | undefined,
  log: EmbeddedLog,
  places = ['/var/lib/switchboard', join(tmpdir(), 'switchboard-of-root')],
): Promise<ServerBinaries> {
  if (!account) return binaries;
  const failure = await tryToRun(binaries, account);
  if (!failure) return binaries;
  if (failure.code === 'EPERM') throw explainUnusableBinaries(binaries.directory, '', failure);
  for (const parent of places) {
    try {
      return movedTo(binaries, await copyInto(parent, binaries, account, log));
    } catch (error) {
      log.warn({ parent, reason: String(error) }, 'PostgreSQL cannot be run from a copy there');
    }
  }
  throw explainUnusableBinaries(binaries.directory, failure.stderr ?? '', failure);
}

/** Runs the program that needs every library: modes alone would not tell of noexec mounts and access lists. */
async function tryToRun(binaries: ServerBinaries, account: ServerAccount): Promise<RunFailure | undefined> {
  try {
    await run(binaries.postgres, ['--version'], { ...account, cwd: '/', env: serverEnvironment });
    return undefined;
  } catch (error) {
    return error as RunFailure;
  }
}

async function copyInto(
  parent: string,
  binaries: ServerBinaries,
  account: ServerAccount,
  log: EmbeddedLog,
): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o755 });
  await mustBelongToRoot(parent);
  await chmod(parent, 0o755);
  const place = join(parent, `postgresql-${binaries.version}`);
  const failureThere = () => tryToRun(movedTo(binaries, place), account);
  if (!(await failureThere())) return place;

  const draft = await mkdtemp(`${place}.new-`);
  const broken = `${draft}.replaced`;
  try {
    await cp(await realpath(binaries.directory), draft, { recursive: true, verbatimSymlinks: true, filter: isNeeded });
    await openToReaders(draft);
    // another start may have put its copy there meanwhile, and run it
    if (!(await failureThere())) return place;
    await rename(place, broken).catch(ignoreMissing);
    await rename(draft, place);
  } finally {
    for (const path of [draft, broken]) await rm(path, { recursive: true, force: true });
  }
  const failure = await failureThere();
  if (failure) {
    await rm(place, { recursive: true, force: true });
    throw failure;
  }
  log.info({ place }, 'copied PostgreSQL to where its account can run it: it may not enter the installation');
  return place;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Whoever can write into the folder decides what PostgreSQL's account runs: in a temporary folder that may be a stranger. */
async function mustBelongToRoot(directory: string): Promise<void> {
  const info = await lstat(directory);
  if (!info.isDirectory() || info.uid !== 0 || (info.mode & 0o022) !== 0)
    throw new Error(`${directory} does not belong to root alone`);
}

/** Static libraries are for compilers. */
function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && basename(path) !== 'pkgconfig';
}

/** A umask of 077 made the installation root's only: the copy may be read, and run, by all. */
async function openToReaders(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) continue;
    const executable = entry.isDirectory() || entry.parentPath.endsWith('/bin') || entry.name.includes('.so');
    await chmod(path, executable ? 0o755 : 0o644);
  }
}

function movedTo(binaries: ServerBinaries, directory: string): ServerBinaries {
  const at = (program: string) => join(directory, 'bin', basename(program));
  return { ...binaries, directory, initdb: at(binaries.initdb), postgres: at(binaries.postgres) };
}

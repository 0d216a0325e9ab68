import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clusterArgument, clusterDirectoryOf, serverEnvironment } from './cluster-files.ts';
import { explainFolderFailure, explainServerFailure } from './explain-failure.ts';
import type { ServerAccount } from './server-account.ts';
import type { ServerBinaries } from './server-binaries.ts';

const run = promisify(execFile);
const draftPrefix = 'postgresql.new-';

/** Whether the data directory holds an initialised cluster. A half-made one never bears the name. */
export async function clusterExists(dataDirectory: string): Promise<boolean> {
  return (await stat(join(clusterDirectoryOf(dataDirectory), 'PG_VERSION')).catch(() => undefined)) !== undefined;
}

/**
 * Makes the cluster: in a folder beside its place, and moved there when it is whole and on disk, so that being killed in between
 * costs nothing. UTF-8, sorted by code point, cased by Unicode's rules whatever the machine's locale; the superuser
 * `switchboard` with a scram-sha-256 password. Call it under the start lock.
 *
 * @param durable false leaves out the flush to disk: for tests
 * @throws ConfigurationError saying what to do
 */
export async function initialiseCluster(
  dataDirectory: string,
  binaries: ServerBinaries,
  account: ServerAccount | undefined,
  password: string,
  durable: boolean,
): Promise<void> {
  for (const name of await readdir(dataDirectory))
    if (name.startsWith(draftPrefix)) await rm(join(dataDirectory, name), { recursive: true, force: true });
  const draft = await mkdtemp(join(dataDirectory, draftPrefix));
  try {
    const cluster = join(draft, 'cluster');
    await mkdir(cluster, { mode: 0o700 });
    await writeFile(join(draft, 'password'), password, { mode: 0o600 });
    if (account)
      for (const path of [join(draft, 'password'), cluster, draft]) await chown(path, account.uid, account.gid);
    const at = clusterArgument(cluster);
    const locale = ['--no-locale', '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=switchboard', '--auth=scram-sha-256', `--pwfile=${at}/../password`];
    const quick = durable ? [] : ['--no-sync'];
    await run(binaries.initdb, ['-D', at, ...locale, ...access, ...quick, '--no-instructions'], {
      ...account,
      cwd: cluster,
      env: serverEnvironment,
    });
    await rename(cluster, clusterDirectoryOf(dataDirectory));
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    throw stderr ? explainServerFailure(dataDirectory, stderr, cause) : explainFolderFailure(dataDirectory, cause);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

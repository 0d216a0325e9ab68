import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** PostgreSQL's data directory beneath ours. */
export function clusterDirectoryOf(dataDirectory: string): string {
  return join(dataDirectory, 'postgresql');
}

/**
 * How PostgreSQL's programs are told where the cluster is. On Linux they inherit it as their working directory and never walk its
 * path, which may lead through folders that only root may enter, and be of any length.
 */
export function clusterArgument(directory: string): string {
  return process.platform === 'linux' ? '/proc/self/cwd' : directory;
}

/**
 * A name for the cluster that shows in the command line of each of its processes and in no other's: made from the directory's
 * inode, so that a copied data directory has another.
 */
export async function clusterName(clusterDirectory: string): Promise<string> {
  const { dev, ino } = await stat(clusterDirectory, { bigint: true });
  return `switchboard-${dev.toString(36)}-${ino.toString(36)}`;
}

/** The environment of PostgreSQL's programs: nothing of ours, which holds secrets, and no locale. */
export const serverEnvironment: NodeJS.ProcessEnv = {
  PATH: '/usr/bin:/bin',
  TZ: 'UTC',
  LC_ALL: 'C',
  ...(process.platform === 'win32' ? { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot } : {}),
};

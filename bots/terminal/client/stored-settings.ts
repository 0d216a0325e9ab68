import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadSecretKey } from '../../../core/secrets/load-secret-key.ts';
import { clusterDirectoryOf } from '../../../core/store/embedded/cluster-files.ts';

/** The keys that lead to a deployment's database. */
export interface Deployment {
  SECRET_KEY: string | undefined;
  DATABASE_URL: string | undefined;
  DATA_DIR: string;
}

/** Whether there is a key to be read. Asking for it would make one where no core has ever run. */
export async function hasKey({ SECRET_KEY, DATABASE_URL, DATA_DIR }: Deployment): Promise<boolean> {
  if (SECRET_KEY !== undefined || DATABASE_URL !== undefined) return true;
  return await exists(join(resolve(DATA_DIR), 'secret.key'));
}

/**
 * What `npx switchboard config set` has stored; nothing when it can't be read, or when no embedded database runs: then no core does.
 * The database's parts are loaded only here: the chat seldom needs them, and they take longer to load than all of it.
 */
export async function readStoredSettings(deployment: Deployment): Promise<ReadonlyMap<string, string>> {
  const postmaster = join(clusterDirectoryOf(resolve(deployment.DATA_DIR)), 'postmaster.pid');
  if (deployment.DATABASE_URL === undefined && !(await exists(postmaster))) return new Map();
  const [{ reachDatabase }, { openDatabase }, { listStored }, { defaultOrganisation }, { createLog }] =
    await Promise.all([
      import('../../../core/store/reach-database.ts'),
      import('../../../core/store/database.ts'),
      import('../../../core/config/stored-settings.ts'),
      import('../../../core/organisation/seed.ts'),
      import('../../../core/log/log.ts'),
    ]);
  const dataDirectory = resolve(deployment.DATA_DIR);
  try {
    const secretKey = await loadSecretKey({ ...deployment, DATA_DIR: dataDirectory });
    const reached = await reachDatabase({
      databaseUrl: deployment.DATABASE_URL,
      dataDirectory,
      as: 'command',
      log: createLog({ level: 'silent' }),
    });
    try {
      const database = await openDatabase(reached.url, { connections: 1 });
      try {
        return await listStored({ database, organisation: defaultOrganisation, secretKey });
      } finally {
        await database.close();
      }
    } finally {
      await reached.stop();
    }
  } catch {
    return new Map();
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

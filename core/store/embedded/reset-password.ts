import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { clusterArgument, clusterDirectoryOf, clusterName, serverEnvironment } from './cluster-files.ts';
import { explainServerFailure } from './explain-failure.ts';
import type { ServerAccount } from './server-account.ts';
import type { ServerBinaries } from './server-binaries.ts';

/**
 * Sets the password of a cluster that is not running, for when postgresql.json was lost: PostgreSQL's single-user mode asks for
 * none, and who may write the files owns the data anyway.
 *
 * @throws ConfigurationError
 */
export async function resetPassword(
  dataDirectory: string,
  binaries: ServerBinaries,
  account: ServerAccount | undefined,
  password: string,
): Promise<void> {
  const cluster = clusterDirectoryOf(dataDirectory);
  const child = spawn(
    binaries.postgres,
    ['--single', '-D', clusterArgument(cluster), '-c', `cluster_name=${await clusterName(cluster)}`, 'postgres'],
    { ...account, cwd: cluster, env: serverEnvironment, stdio: ['pipe', 'ignore', 'pipe'] },
  );
  child.stdin.on('error', () => {});
  child.stdin.end(`alter role switchboard password '${password}';\n`);
  const [output, exit] = await Promise.all([
    text(child.stderr),
    once(child, 'exit').catch((cause) => {
      throw explainServerFailure(dataDirectory, '', cause);
    }),
  ]);
  if (exit[0] !== 0 || /ERROR:/.test(output)) throw explainServerFailure(dataDirectory, output);
}

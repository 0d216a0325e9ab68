import { lchown, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The account that PostgreSQL's processes run as. */
export interface ServerAccount {
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root lends it an account: the one that owns the cluster already, else `postgres`, else
 * `nobody`. Anybody else runs it as themselves: undefined.
 *
 * @param clusterDirectory need not exist yet
 */
export async function chooseServerAccount(clusterDirectory: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(clusterDirectory).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return findAccount(accounts, 'postgres') ?? findAccount(accounts, 'nobody') ?? { uid: 65534, gid: 65534 };
}

/** Looks an account up in the text of a passwd(5) file. */
export function findAccount(passwd: string, name: string): ServerAccount | undefined {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find((entry) => entry[0] === name);
  const uid = Number(fields?.[2]);
  const gid = Number(fields?.[3]);
  return uid > 0 && Number.isInteger(gid) ? { uid, gid } : undefined;
}

/** What root writes into somebody's data directory belongs to that somebody, who may start without root next time. */
export async function giveToOwnerOf(directory: string, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const owner = await stat(directory);
  await lchown(path, owner.uid, owner.gid);
}

/** Gives the account a directory that is root's with everything in it: one that root unpacked or copied, say. */
export async function giveTo(account: ServerAccount, directory: string): Promise<void> {
  if ((await stat(directory)).uid !== 0) return;
  for (const name of await readdir(directory, { recursive: true }))
    await lchown(join(directory, name), account.uid, account.gid);
  await lchown(directory, account.uid, account.gid);
}

import { lchown, lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Owner } from './runtime-folder.ts';

/**
 * User ids that no distribution gives to anybody: 1879048192 to 2147483647 are unused by systemd's table
 * (systemd.io/UIDS-GIDS). They need no entry in /etc/passwd.
 */
const first = 1_900_000_000;
const count = 65_536;

/**
 * Who a Desktop's processes are on this host. As root: a user id of the Desktop's own, which its home keeps (another host with the
 * same shared storage finds it there); a new home is given to an id that none beside it has. As anybody else: ourselves.
 */
export async function ownUser(home: string): Promise<Owner> {
  if (process.getuid?.() !== 0) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const { uid } = await lstat(home);
  if (isOurs(uid)) return { uid, gid: uid };

  const taken = new Set<number>();
  for (const name of await readdir(dirname(home))) {
    const beside = await lstat(join(dirname(home), name)).catch(() => undefined);
    if (beside) taken.add(beside.uid);
  }
  let own: number;
  do own = first + Math.floor(Math.random() * count);
  while (taken.has(own));
  await giveAll(home, own);
  return { uid: own, gid: own };
}

function isOurs(uid: number): boolean {
  return uid >= first && uid < first + count;
}

/** Symbolic links are given away themselves, never followed. The folder itself last: an interrupted one is begun again. */
async function giveAll(folder: string, uid: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveAll(path, uid);
    else await lchown(path, uid, uid);
  }
  await lchown(folder, uid, uid);
}

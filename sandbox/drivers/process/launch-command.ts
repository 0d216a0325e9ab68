import type { Limits } from '../driver.ts';
import type { Owner } from '../runtime-folder.ts';
import type { Mount } from './bubblewrap.ts';

/**
 * Where root shows bwrap what lies in folders that only root may enter (a clone or DATA_DIR of mode 0700): in a mount namespace of its
 * own, on a file system in memory over /sys, where no home can be and which bwrap does not need.
 */
const stage = '/sys';

/**
 * As root, before any right is given up. `$1`: the control groups to enter; `$2`: pairs of a source and its place on the stage; then
 * the command. Every step is an `exec` of the same process, so that the host's child is bwrap itself.
 */
const prepare = `
set -e
for group in $1; do echo $$ > "$group"; done
shift
mount -t tmpfs -o mode=755,size=1m switchboard ${stage}
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir "$2"; else : > "$2"; fi
  mount --bind "$1" "$2"
  shift 2
done
shift
exec "$@"
`;

/** What is started, as whom, and how far it may go. */
export interface Launch {
  mounts: readonly Mount[];
  user: Owner;
  /** Control groups' files; none: the number of processes is limited in another way. */
  entrances: readonly string[];
  limits: Limits;
  /** bwrap's arguments for mounts whose sources it can reach. */
  isolated(mounts: readonly Mount[]): string[];
  program: readonly string[];
}

/** The command line that starts bwrap: from root by way of groups, mounts and another user; from anybody else directly. */
export function launchCommand({ mounts, user, entrances, limits, isolated, program }: Launch): string[] {
  const lowered = ['prlimit', '--core=0', `--fsize=${limits.diskBytes}`];
  const grouped = entrances.length > 0;
  // set inside, where the processes of the new user namespace alone are counted (Linux 5.14), not all of this user's
  const limited = grouped ? program : ['prlimit', `--nproc=${limits.processes}`, ...program];
  if (process.getuid?.() !== 0) return [...lowered, 'bwrap', ...isolated(mounts), '--', ...limited];

  const staged = mounts.map((mount, n) => ({ ...mount, source: `${stage}/${n}` }));
  const places = mounts.flatMap((mount, n) => [mount.source, `${stage}/${n}`]);
  return [
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', prepare, 'sh'],
    ...[entrances.join(' '), ...places, '--'],
    ...lowered,
    ...['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--no-new-privs'],
    ...['bwrap', ...isolated(staged), '--', ...limited],
  ];
}

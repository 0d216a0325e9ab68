import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { insidePaths } from '../runtime-folder.ts';

/** The user inside, whoever it is outside. */
export const insideUser = { uid: 1000, gid: 1000 };

/** What of the host's /etc programs need to find fonts, certificates, libraries and their defaults; nothing that names its people. */
const etc = [
  'alternatives',
  'chromium',
  'chromium.d',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'ssl/certs',
  'X11',
  'xdg',
];
/** Folders of sources and spools under /usr and /var that belong to the host. */
const hidden = ['/usr/local/src', '/usr/src'];

/** A folder or file of this host, and where it is seen inside. */
export interface Mount {
  source: string;
  at: string;
  writable: boolean;
}

/** What a sandbox sees and has. */
export interface Namespaces {
  mounts: readonly Mount[];
  /** For /tmp; /dev/shm gets as much. Both are memory. */
  temporaryBytes: number;
  environment: Readonly<Record<string, string>>;
}

/**
 * bwrap's arguments (bwrap(1)) for a view of its own: the host's /usr read-only, nothing of its homes, processes, network or IPC. It
 * ends with its parent. Chromium's own sandbox needs further user namespaces inside, so that they stay allowed.
 */
export function bubblewrapArguments({ mounts, temporaryBytes, environment }: Namespaces): string[] {
  const size = ['--size', String(temporaryBytes)];
  return [
    ...['--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--uid', String(insideUser.uid), '--gid', String(insideUser.gid), '--hostname', 'desktop'],
    ...['--die-with-parent', '--new-session', '--clearenv'],
    ...systemFolders(),
    ...hidden.filter((path) => existsSync(path)).flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...['--proc', '/proc', '--dev', '/dev', ...size, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...[...size, '--tmpfs', '/tmp', '--dir', '/run', '--dir', '/var', '--symlink', '/tmp', '/var/tmp'],
    ...readOnly('/var/cache/fontconfig'),
    // where Google's own package of the browser lies
    ...readOnly('/opt/google'),
    ...etc.flatMap((name) => readOnly(`/etc/${name}`)),
    ...['--dir', insidePaths.home],
    ...mounts.flatMap(({ source, at, writable }) => [writable ? '--bind' : '--ro-bind', source, at]),
    ...['--remount-ro', '/', '--chdir', insidePaths.home],
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}

/** /usr, and beside it what is a link into it (merged /usr) or, on older systems, a folder. */
function systemFolders(): string[] {
  const beside = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].flatMap((name) => {
    const about = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (about === undefined) return [];
    if (about.isSymbolicLink()) return ['--symlink', readlinkSync(`/${name}`), `/${name}`];
    return ['--ro-bind', `/${name}`, `/${name}`];
  });
  return ['--ro-bind', '/usr', '/usr', ...beside];
}

function readOnly(path: string): string[] {
  return ['--ro-bind-try', path, path];
}

import { randomBytes } from 'node:crypto';
import { chmod, chown, link, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DriverError, type XDisplay } from './driver.ts';
import { xAuthority } from './x-authority.ts';

/** sockaddr_un holds 108 bytes with the closing zero (unix(7)). */
const longestSocketPath = 107;

/** Where the parts of a Desktop's runtime folder are found inside. */
export const insidePaths = {
  home: '/home/desktop',
  /** Read-only: the X cookie and the proxy's socket. */
  shared: '/run/desktop',
  sockets: '/tmp/.X11-unix',
} as const;

/** The names of the sockets of a Desktop's sound, in the folder of its sockets. */
export const soundSocketNames = { server: 'pulse', capture: 'sound' } as const;

/** Switchboard's own files inside: what a Desktop's supervisor and its configuration are made of. */
export const insideRoot = '/opt/switchboard';
/** The same on this host. */
export const insideFolder = join(import.meta.dirname, '..', 'inside');

const insidePath = `${insideRoot}/inside/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin`;

/** The environment inside, but for what the supervisor adds (display, proxy). */
export const insideEnvironment = {
  HOME: insidePaths.home,
  USER: 'desktop',
  LOGNAME: 'desktop',
  SHELL: '/bin/bash',
  LANG: 'C.UTF-8',
  PATH: insidePath,
  PS1: '\\w \\$ ',
  XDG_CONFIG_DIRS: `${insideRoot}/inside/xdg:/etc/xdg`,
  BROWSER: 'chromium',
} as const;

/** Who the processes inside are, for the host's kernel. */
export interface Owner {
  uid: number;
  gid: number;
}

/** The runtime folder of one Desktop, filled. Only `shared`, `sockets` and `etc` are seen inside, `sockets` alone is written there. */
export interface RuntimeFolder {
  shared: string;
  sockets: string;
  /** Files for /etc, by name. */
  etc: Readonly<Record<string, string>>;
  authority: string;
  proxySocket: string;
  cookie: string;
  /**
   * The X server's socket for the host's use. Programs inside may replace the one that they see by a link to another socket of this
   * host; this is a second name of the first one, in a folder that they don't see. Call it before any of them could.
   *
   * @throws DriverError when its path is too long for a socket, or one of them was quicker
   */
  display(number: number): Promise<XDisplay>;
  /** The socket that the Desktop is heard by, for the host's use, as {@link display} is. */
  capture(): Promise<string>;
}

/** Makes what a sandbox finds in its runtime folder, with a new X cookie. `ids`: who its processes are, inside. */
export async function fillRuntimeFolder(folder: string, owner: Owner, ids: Owner): Promise<RuntimeFolder> {
  const [shared, sockets, etc] = ['shared', 'x11', 'etc'].map((name) => join(folder, name)) as [string, string, string];
  for (const made of [shared, sockets, etc]) await mkdir(made, { recursive: true });
  await give(sockets, owner, 0o700);

  const cookie = randomBytes(16).toString('hex');
  const authority = join(shared, 'authority');
  await writeFile(authority, xAuthority(cookie), { mode: 0o600 });
  await give(authority, owner, 0o400);

  const files: Record<string, string> = {};
  for (const [name, text] of Object.entries(etcFiles(ids))) {
    files[name] = join(etc, name);
    await writeFile(files[name], text);
    await chmod(files[name], 0o644);
  }
  return {
    shared,
    sockets,
    etc: files,
    authority,
    proxySocket: join(shared, 'proxy.sock'),
    cookie,
    display: async (number) => ({
      socketPath: await secondName(join(sockets, `X${number}`), join(folder, 'X'), 'X'),
      cookie,
    }),
    capture: () => secondName(join(sockets, soundSocketNames.capture), join(folder, 'S'), 'sound'),
  };
}

/** Hands a file to the Desktop's user, where this process may give things away. */
async function give(path: string, { uid, gid }: Owner, mode: number): Promise<void> {
  await chmod(path, mode);
  if (process.getuid?.() === 0) await chown(path, uid, gid);
}

async function secondName(socket: string, name: string, what: string): Promise<string> {
  if (Buffer.byteLength(name) > longestSocketPath)
    throw new DriverError(
      `the path of the Desktop's ${what} socket is longer than ${longestSocketPath} bytes: choose a shorter folder for what runs (${name})`,
    );
  await link(socket, name);
  // What a shell's start file in the home does comes before this. A link's second name is that link, and would lead anywhere here.
  if (!(await lstat(name)).isSocket()) {
    await rm(name, { force: true });
    throw new DriverError(
      `something in its home has put another file in the place of its ${what} socket: look at what its shell and its window manager start`,
    );
  }
  return name;
}

function etcFiles({ uid, gid }: Owner): Record<string, string> {
  return {
    passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\ndesktop:x:${uid}:${gid}:Desktop:${insidePaths.home}:/bin/bash\n`,
    group: `root:x:0:\ndesktop:x:${gid}:\n`,
    hosts: '127.0.0.1 localhost desktop\n::1 localhost\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    // a login shell would otherwise forget our own chromium command
    profile: `export PATH=${insidePath}\n`,
  };
}

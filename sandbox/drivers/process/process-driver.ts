import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SupervisorOptions } from '../../inside/messages.ts';
import type { Driver, Report, SandboxRequest } from '../driver.ts';
import { endMarked, markEnvironment, markedDesktops } from '../marked-processes.ts';
import { ownUser } from '../own-user.ts';
import {
  insideEnvironment,
  insideFolder,
  insidePaths,
  insideRoot,
  type Owner,
  type RuntimeFolder,
} from '../runtime-folder.ts';
import { hostSoundReport } from '../sound-report.ts';
import { type Launched, startSandbox } from '../start-sandbox.ts';
import { endOf } from '../supervisor-process.ts';
import { bubblewrapArguments, insideUser, type Mount } from './bubblewrap.ts';
import {
  endGroup,
  findGroupParents,
  type GroupParents,
  groupNames,
  makeGroup,
  removeAbandoned,
} from './control-group.ts';
import { launchCommand } from './launch-command.ts';
import { watchMemory } from './memory-watch.ts';
import { bytesOfRemovedFiles } from './removed-files.ts';

const execute = promisify(execFile);
const insideNode = `${insideRoot}/node`;
/** /tmp and /dev/shm each get so much of the Desktop's memory at most. */
const temporaryPart = 0.25;
const probeWithinMs = 5000;

/**
 * Desktops as processes of this host, in namespaces of their own (bubblewrap): needs Linux, and no rights. As root each Desktop has a
 * user id of its own, and limits of all its processes together; as an ordinary user it is this user in a user namespace.
 *
 * @param owner the Host's id: whose leftovers {@link Driver.sweep} ends
 */
export function createProcessDriver({ owner }: { owner: string }): Driver {
  const groupPrefix = `switchboard-${owner}-`;

  return {
    name: 'process',
    probe,
    probeSound: async () => hostSoundReport(),
    async start(request) {
      const user = await ownUser(request.home);
      return startSandbox(request, {
        user,
        inside: insideUser,
        ownsAllProcesses: true,
        paths: () => ({
          home: insidePaths.home,
          authority: join(insidePaths.shared, 'authority'),
          proxySocket: join(insidePaths.shared, 'proxy.sock'),
          sockets: insidePaths.sockets,
        }),
        launch: (runtime, options) =>
          launch(request, { owner, desktop: request.desktop }, groupPrefix + request.desktop, user, runtime, options),
      });
    },
    async sweep(keep) {
      for (const desktop of await markedDesktops(owner)) if (!keep.has(desktop)) await endMarked({ owner, desktop });
      const parents = await groupParents();
      if (!parents) return;
      for (const name of await groupNames(parents, groupPrefix))
        if (!keep.has(name.slice(groupPrefix.length))) await endGroup(parents, name);
      await removeAbandoned(parents, 'switchboard-');
    },
  };
}

/** Only root may move its children into groups and then give them another user. */
async function groupParents(): Promise<GroupParents | null> {
  return process.getuid?.() === 0 ? findGroupParents() : null;
}

async function launch(
  { home, limits }: SandboxRequest,
  mark: { owner: string; desktop: string },
  groupName: string,
  user: Owner,
  runtime: RuntimeFolder,
  options: SupervisorOptions,
): Promise<Launched> {
  const mounts: Mount[] = [
    { source: home, at: insidePaths.home, writable: true },
    { source: runtime.sockets, at: insidePaths.sockets, writable: true },
    { source: runtime.shared, at: insidePaths.shared, writable: false },
    ...Object.entries(runtime.etc).map(([name, source]) => ({ source, at: `/etc/${name}`, writable: false })),
    { source: insideFolder, at: `${insideRoot}/inside`, writable: false },
    { source: process.execPath, at: insideNode, writable: false },
  ];
  const temporaryBytes = Math.floor(limits.memoryBytes * temporaryPart);

  await using undo = new AsyncDisposableStack();
  const parents = await groupParents();
  const group = parents && (await makeGroup(parents, groupName, limits));
  if (group) undo.defer(() => group.remove());
  const [program = '', ...args] = launchCommand({
    mounts,
    user,
    entrances: group?.entrances ?? [],
    limits,
    isolated: (reachable) => bubblewrapArguments({ mounts: reachable, temporaryBytes, environment: insideEnvironment }),
    program: [insideNode, `${insideRoot}/inside/supervisor.ts`, JSON.stringify(options)],
  });
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...markEnvironment(mark) },
  });
  await once(child, 'spawn');
  undo.defer(() => endMarked(mark));
  const ends = [endOf(child)];
  if (!group && child.pid !== undefined) {
    const memory = watchMemory(child.pid, limits.memoryBytes);
    ends.push(memory.failed);
    undo.defer(() => memory.stop());
  }
  const made = undo.move();
  return {
    supervisor: { stdin: child.stdin, stdout: child.stdout, ended: Promise.race(ends) },
    bytesOfRemovedFiles: async () => (child.pid === undefined ? 0 : bytesOfRemovedFiles(child.pid, home)),
    end: () => made.disposeAsync(),
  };
}

async function probe(): Promise<Report> {
  const name = 'process';
  if (process.platform !== 'linux') return { name, works: false, detail: 'bubblewrap exists for Linux only' };
  try {
    const nobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    const [program = 'bwrap', ...args] = [
      ...nobody,
      'bwrap',
      ...bubblewrapArguments(smallest),
      'sh',
      '-c',
      findPrograms,
    ];
    const { stdout } = await execute(program, args, { timeout: probeWithinMs });
    if (stdout.trim() !== '')
      return { name, works: false, detail: `bubblewrap isolates, but these are not installed: ${stdout.trim()}` };
  } catch (error) {
    return { name, works: false, detail: whyNot(error) };
  }
  const limited = (await groupParents())
    ? 'control groups limit memory, processor and processes of a Desktop together'
    : 'no control group can be made here (that needs root), so that memory is watched instead of limited, and processor time is not';
  return { name, works: true, detail: `bubblewrap isolates; ${limited}` };
}

/** Run inside: names what a screen needs and is not there. */
const findPrograms =
  'for p in Xvfb openbox xterm xrandr xsetroot; do command -v $p >/dev/null || printf "%s " $p; done';
const smallest = { mounts: [], temporaryBytes: 1_000_000, environment: { PATH: insideEnvironment.PATH } };

function whyNot(error: unknown): string {
  const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
  const said = (stderr || String(error)).trim();
  if (code === 'ENOENT' || /bwrap: No such file/.test(said))
    return 'bubblewrap is not installed: apt-get install bubblewrap';
  if (/Unknown option/i.test(said)) return `this bubblewrap is too old, 0.7 or later is needed (${said})`;
  if (/namespace|uid map|Operation not permitted|Permission denied/i.test(said))
    return (
      `this host forbids user namespaces (${said}): allow them (sysctl kernel.unprivileged_userns_clone=1; ` +
      'on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0) or use containers'
    );
  return `bubblewrap does not work here: ${said}`;
}

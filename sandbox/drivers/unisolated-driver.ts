import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Driver } from './driver.ts';
import { endMarked, markEnvironment, markedDesktops } from './marked-processes.ts';
import { insideFolder } from './runtime-folder.ts';
import { hostSoundReport } from './sound-report.ts';
import { startSandbox } from './start-sandbox.ts';
import { endOf } from './supervisor-process.ts';

/** Of the host's environment only what says nothing about it. */
const passedOn = ['PATH', 'LANG', 'TZ'];

/**
 * Desktops as plain processes of this host's user, with its files, its network and no limits but the disk's: for machines that are a
 * sandbox themselves. Only when SANDBOX_UNISOLATED=1.
 *
 * @param owner the Host's id: whose leftovers {@link Driver.sweep} ends
 */
export function createUnisolatedDriver({ owner }: { owner: string }): Driver {
  return {
    name: 'unisolated',
    probe: async () => ({
      name: 'unisolated',
      works: process.platform === 'linux',
      detail:
        process.platform === 'linux'
          ? 'Desktops run with this user’s rights, files and network'
          : 'Xvfb is used on Linux only',
    }),
    probeSound: async () => hostSoundReport(),
    start(request) {
      const mark = { owner, desktop: request.desktop };
      const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
      return startSandbox(request, {
        user,
        inside: user,
        ownsAllProcesses: false,
        paths: ({ authority, proxySocket, sockets }) => ({ home: request.home, authority, proxySocket, sockets }),
        display: async ({ cookie }, number) => ({ socketPath: `/tmp/.X11-unix/X${number}`, cookie }),
        async launch(_, options) {
          const child = spawn(process.execPath, [join(insideFolder, 'supervisor.ts'), JSON.stringify(options)], {
            cwd: request.home,
            stdio: ['pipe', 'pipe', 'pipe'],
            env: {
              ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])),
              HOME: request.home,
              XDG_CONFIG_DIRS: `${join(insideFolder, 'xdg')}:/etc/xdg`,
              ...markEnvironment(mark),
            },
          });
          await once(child, 'spawn');
          return {
            supervisor: { stdin: child.stdin, stdout: child.stdout, ended: endOf(child) },
            end: () => endMarked(mark),
          };
        },
      });
    },
    async sweep(keep) {
      for (const desktop of await markedDesktops(owner)) if (!keep.has(desktop)) await endMarked({ owner, desktop });
    },
  };
}

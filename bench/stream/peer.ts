import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../core/store/embedded/free-port.ts';
import { findDescendants } from '../../e2e/process-tree.ts';
import { screen } from './scenes.ts';
import type { Side } from './side.ts';
import { startDisplay } from './start-display.ts';

/** Where Debian's package puts noVNC. */
const novnc = '/usr/share/novnc';
const packages = ['tigervnc-standalone-server', 'novnc', 'websockify'];

/**
 * TigerVNC with websockify and noVNC, as Debian has them, with their own settings. The page is noVNC's small one, which is the first to
 * show a picture.
 */
export async function startPeer(folder: string): Promise<Side> {
  const socket = join(folder, 'vnc');
  const server = await startDisplay(
    'Xtigervnc',
    [
      '-geometry',
      `${screen.width}x${screen.height}`,
      '-depth',
      '24',
      '-SecurityTypes',
      'None',
      '-rfbunixpath',
      socket,
      '-rfbport',
      '-1',
    ],
    folder,
  );
  const port = await findFreePort();
  const proxy = spawn('websockify', ['--web', novnc, '--unix-target', socket, `127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
  const ended = once(proxy, 'exit');
  for (const deadline = performance.now() + 10_000; !(await answers(port)); await sleep(50))
    if (performance.now() > deadline) throw new Error('websockify did not answer within 10 s');

  const websockify = proxy.pid === undefined ? [] : [proxy.pid];
  return {
    name: 'noVNC',
    about: () => packages.map((name) => `${name} ${versionOf(name)}`).join(', '),
    display: server.display,
    port,
    pageUrl: (through) => `http://127.0.0.1:${through}/vnc_lite.html`,
    // websockify has a process for each connection
    processes: () => [server.pid, ...websockify, ...websockify.flatMap(findDescendants)],
    roleOf: (pid) => (pid === server.pid ? 'Xtigervnc' : 'websockify'),
    async [Symbol.asyncDispose]() {
      proxy.kill('SIGTERM');
      await ended;
      await server[Symbol.asyncDispose]();
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/vnc_lite.html`).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

function versionOf(name: string): string {
  return execFileSync('dpkg-query', ['-W', '--showformat', `\${Version}`, name], { encoding: 'utf8' });
}

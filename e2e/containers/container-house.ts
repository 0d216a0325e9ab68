import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort } from '../../core/store/embedded/free-port.ts';
import { connectWorker } from '../clients/worker-mcp.ts';
import type { DesktopHouse } from '../desktop-on-phone.ts';
import { until } from '../measured-run.ts';
import { openSharedDatabase } from '../shared-database.ts';
import { startMailSink } from '../stand-ins/mail-sink.ts';
import { images } from './build-images.ts';
import type { Engine } from './engine.ts';

/** The product in containers, as docker/compose.yaml sets it up. Disposing of it leaves nothing behind but the images. */
export type ContainerHouse = AsyncDisposable &
  DesktopHouse & {
    /** What the host logged: it says which driver and encoder it found. */
    hostLog(): Promise<string>;
    /** The containers that run as Desktops, by id. */
    desktops(): Promise<string[]>;
    /** SIGTERM to the host, and waits: its Desktops end with it. */
    stopHost(): Promise<void>;
  };

/** What a container may open and start: an engine in a container itself may not raise them to its own defaults. */
const limits = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096'];
/** The name that a host asks for. */
const desktopImage = 'switchboard-desktop';

/**
 * Starts core and host from the images of {@link images}. As in compose.yaml, but for three things: they share the machine's network
 * (all on 127.0.0.1), since an engine in a container may make no other; PostgreSQL is a process of ours, where its image cannot be
 * pulled; and no `init`, which is a program that not every Podman has.
 *
 * @param folder an empty one with a short path: the sockets of Desktops lie below it
 */
export async function openContainerHouse(
  engine: Engine,
  folder: string,
  env: Record<string, string>,
): Promise<ContainerHouse> {
  await using opened = new AsyncDisposableStack();
  const sink = await startMailSink();
  opened.defer(() => sink.close());
  const database = await openSharedDatabase();
  opened.defer(() => database.close());
  const port = await findFreePort();
  let smtpPort = port;
  while (smtpPort === port) smtpPort = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const token = randomBytes(32).toString('hex');
  const before = new Set(await desktopContainers(engine));
  const desktops = async () => (await desktopContainers(engine)).filter((id) => !before.has(id));
  opened.defer(async () => {
    for (const id of await desktops()) await engine.podman('rm', '--force', '--time=0', id);
  });
  opened.defer(await lendName(engine, images.desktop, desktopImage));

  const run = async (name: string, image: string, settings: Record<string, string>, ...more: string[]) => {
    const file = join(folder, `${name}.env`);
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
    await writeFile(file, lines.join(''), { mode: 0o600 });
    const id = await engine.podman('run', '--detach', '--network=host', ...limits, '--env-file', file, ...more, image);
    opened.defer(async () => void (await engine.podman('rm', '--force', '--volumes', '--time=10', id)));
    return id;
  };
  const core = await run('core', images.core, {
    ...database.env,
    ...{
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: `http://localhost:${port}`,
      SMTP_LISTEN: `127.0.0.1:${smtpPort}`,
    },
    ...{ SMTP_URL: sink.url, HOST_TOKEN: token, LOG_LEVEL: 'debug' },
    ...env,
  });
  const log = () => engine.logs(core);
  if (!(await until(() => isReady(url), 60_000)))
    throw new Error(`the core was not ready within 60 s:\n${await log()}`);

  const hostFolder = join(folder, 'host');
  await mkdir(hostFolder);
  const host = await run(
    'host',
    images.host,
    { CORE_URL: url, HOST_TOKEN: token, HOST_DIR: hostFolder, LOG_LEVEL: 'debug' },
    ...['--volume', `${engine.socket}:/var/run/docker.sock`, '--volume', `${hostFolder}:${hostFolder}`],
  );
  const hostLog = () => engine.logs(host);
  if (!(await until(async () => /^Desktops /m.test(await hostLog()), 60_000)))
    throw new Error(`the host was not ready within 60 s:\n${await hostLog()}`);

  const switchboard = (...args: string[]) => engine.podman('exec', core, 'node', 'main.ts', ...args);
  const kept = opened.move();
  return {
    sink,
    core: () => ({ smtpPort }),
    switchboard,
    mcp: async (worker) => {
      const connection = await connectWorker(url, worker, await switchboard('token', worker));
      kept.defer(() => connection.close());
      return connection;
    },
    log,
    hostLog,
    desktops,
    stopHost: async () => void (await engine.podman('stop', '--time=30', host)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Gives an image a second name, and afterwards the name to whatever had it before. */
async function lendName(engine: Engine, image: string, name: string): Promise<() => Promise<void>> {
  const had = await engine.imageId(name);
  await engine.podman('tag', image, name);
  return async () => {
    await (had ? engine.podman('tag', had, name) : engine.podman('untag', image, name));
  };
}

async function desktopContainers(engine: Engine): Promise<string[]> {
  const ids = await engine.podman('ps', '--all', '--quiet', '--no-trunc', '--filter', 'label=switchboard.desktop');
  return ids.split('\n').filter((id) => id !== '');
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

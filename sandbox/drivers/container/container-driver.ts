import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import type { SupervisorOptions } from '../../inside/messages.ts';
import { type Driver, DriverError, type Limits, type Report, type SandboxRequest } from '../driver.ts';
import { ownUser } from '../own-user.ts';
import { insideEnvironment, insidePaths, insideRoot, type Owner, type RuntimeFolder } from '../runtime-folder.ts';
import { soundReport } from '../sound-report.ts';
import { type Launched, startSandbox } from '../start-sandbox.ts';
import { attach, findEngine } from './engine.ts';

/** Made from docker/desktop. */
const image = 'switchboard-desktop';
const ownerLabel = 'switchboard.owner';
const desktopLabel = 'switchboard.desktop';
/** /tmp and /dev/shm each get so much of the Desktop's memory at most. */
const temporaryPart = 0.25;
/**
 * Of one process; PidsLimit is what counts for processes. Both are always said: an engine that runs in a container itself may not
 * raise them to its own defaults and would refuse to start.
 */
const openFiles = 4096;
const processesOfUser = 32_768;
const keptCharacters = 2000;

/**
 * Desktops as containers of Docker or Podman, with the image `switchboard-desktop`: no network, no capabilities, a root that is
 * read-only, limits of memory, processor and processes. The engine must see the same folders as this process.
 *
 * @param owner the Host's id: whose leftovers {@link Driver.sweep} ends
 */
export function createContainerDriver({ owner }: { owner: string }): Driver {
  return {
    name: 'container',
    probe,
    probeSound,
    async start(request) {
      const engine = findEngine();
      if (!engine) throw new DriverError(noEngine);
      const user = await ownUser(request.home);
      return startSandbox(request, {
        user,
        inside: user,
        ownsAllProcesses: true,
        paths: () => ({
          home: insidePaths.home,
          authority: join(insidePaths.shared, 'authority'),
          proxySocket: join(insidePaths.shared, 'proxy.sock'),
          sockets: insidePaths.sockets,
        }),
        launch: (runtime, options) => launch(engine, owner, request, user, runtime, options),
      });
    },
    async sweep(keep) {
      const engine = findEngine();
      if (!engine) return;
      const left = await engine.listContainers({ all: true, filters: { label: [`${ownerLabel}=${owner}`] } });
      for (const { Id, Labels } of left)
        if (!keep.has(Labels[desktopLabel] ?? '')) await remove(engine.getContainer(Id));
    },
  };
}

const noEngine =
  'no container engine answers here: install Docker or Podman and start its socket (systemctl enable --now podman.socket), or set DOCKER_HOST';

async function launch(
  engine: Docker,
  owner: string,
  request: SandboxRequest,
  user: Owner,
  runtime: RuntimeFolder,
  options: SupervisorOptions,
): Promise<Launched> {
  const binds = [
    `${request.home}:${insidePaths.home}`,
    `${runtime.sockets}:${insidePaths.sockets}`,
    `${runtime.shared}:${insidePaths.shared}:ro`,
    ...Object.entries(runtime.etc).map(([name, path]) => `${path}:/etc/${name}:ro`),
  ];
  const container = await engine
    .createContainer({
      Image: image,
      Cmd: ['node', `${insideRoot}/inside/supervisor.ts`, JSON.stringify(options)],
      User: `${user.uid}:${user.gid}`,
      WorkingDir: insidePaths.home,
      Hostname: 'desktop',
      Env: Object.entries(insideEnvironment).map(([name, value]) => `${name}=${value}`),
      Labels: { [ownerLabel]: owner, [desktopLabel]: request.desktop },
      // the supervisor ends when its stdin does, and that ends with our connection
      OpenStdin: true,
      StdinOnce: true,
      // an engine that removes what still runs asks it to end first, and would wait 10 s
      StopTimeout: 0,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: { ...isolation(request.limits), ...(await userNamespace(engine)), Binds: binds },
    })
    .catch(explain);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => remove(container));

  const stream = await attach(engine, container.id).catch(explain);
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.pipe(stream);
  engine.modem.demuxStream(stream, stdout, stderr);
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptCharacters);
  });
  // its end is told by `wait`
  stream.on('error', () => {});
  await container.start().catch(explain);
  const ended = container.wait().then(
    ({ StatusCode }: { StatusCode: number }) => `it ended with code ${StatusCode}${said && `: ${said.trim()}`}`,
    (error: Error) => `the engine no longer answers: ${error.message}`,
  );
  const made = undo.move();
  return { supervisor: { stdin, stdout, ended }, end: () => made.disposeAsync() };
}

function isolation({ memoryBytes, cpus, processes, diskBytes }: Limits): Docker.HostConfig {
  const temporaryBytes = Math.floor(memoryBytes * temporaryPart);
  return {
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    IpcMode: 'private',
    ShmSize: temporaryBytes,
    Tmpfs: { '/tmp': `rw,nosuid,nodev,mode=1777,size=${temporaryBytes}` },
    Memory: memoryBytes,
    // memory and swap together: none of it may be swap
    MemorySwap: memoryBytes,
    NanoCpus: Math.round(cpus * 1e9),
    PidsLimit: processes,
    Ulimits: [
      { Name: 'nofile', Soft: openFiles, Hard: openFiles },
      { Name: 'nproc', Soft: processesOfUser, Hard: processesOfUser },
      { Name: 'core', Soft: 0, Hard: 0 },
      { Name: 'fsize', Soft: diskBytes, Hard: diskBytes },
    ],
  };
}

/** An engine without root maps this user to root inside, unless it is told to keep ids: then the home is ours there, too. */
async function userNamespace(engine: Docker): Promise<{ UsernsMode?: string }> {
  const { SecurityOptions = [] } = (await engine.info()) as { SecurityOptions?: string[] };
  return SecurityOptions.some((option) => /rootless/.test(option)) ? { UsernsMode: 'keep-id' } : {};
}

async function remove(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    // 404: it is gone; 409: somebody else removes it
    if (![404, 409].includes((error as { statusCode?: number }).statusCode ?? 0)) throw error;
  }
}

function explain(error: unknown): never {
  const { message, statusCode } = error as Error & { statusCode?: number };
  throw new DriverError(statusCode === 404 ? noImage : `the engine refused the Desktop: ${message}`, { cause: error });
}

const buildCommand = `docker build -t ${image} -f docker/desktop/Dockerfile .`;
const noImage = `there is no image "${image}": build it (${buildCommand})`;

/** Runs one small command in a container of the image, and returns its exit code. */
async function tryCommand(engine: Docker, command: readonly string[]): Promise<number> {
  const container = await engine
    .createContainer({
      Image: image,
      Cmd: [...command],
      HostConfig: isolation({ memoryBytes: 64e6, cpus: 1, processes: 32, diskBytes: 1e6 }),
    })
    .catch(explain);
  try {
    await container.start().catch(explain);
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    return StatusCode;
  } finally {
    await remove(container);
  }
}

/** Desktops run the programs of their image. */
async function probeSound(): Promise<Report> {
  const engine = findEngine();
  if (!engine) return soundReport(noEngine);
  try {
    const code = await tryCommand(engine, ['sh', '-c', 'command -v pulseaudio && command -v parec']);
    return soundReport(code === 0 ? null : `the image "${image}" has no PulseAudio: build it anew (${buildCommand})`);
  } catch (error) {
    return soundReport((error as Error).message);
  }
}

async function probe(): Promise<Report> {
  const name = 'container';
  const engine = findEngine();
  if (!engine) return { name, works: false, detail: noEngine };
  try {
    const { Platform, Version } = (await engine.version()) as { Platform?: { Name?: string }; Version: string };
    const code = await tryCommand(engine, ['true']);
    if (code !== 0) throw new DriverError(`a container of ${image} ended with code ${code}`);
    return { name, works: true, detail: `${Platform?.Name || 'the container engine'} ${Version} isolates` };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { name, works: false, detail: code === 'ECONNREFUSED' || code === 'EACCES' ? noEngine : message };
  }
}

import { cp, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Engine } from './engine.ts';
import { runCommand } from './run-command.ts';

/** What our images are made from: the build arguments BASE and NODE of docker/. */
export type BaseImages = { base: string; node: string };

const debian = 'switchboard-e2e-debian';
const node = 'switchboard-e2e-node';
const registryTimeoutMs = 120_000;

/**
 * The bases that the Dockerfiles name, where they can be pulled. Elsewhere ones of the same content, made here and kept for the next time:
 * Debian by debootstrap (root; about half a minute), and on it the Node and the npm that run this.
 *
 * @param folder an empty one, to work in
 * @param dockerfile the one that names both
 */
export async function findBaseImages(
  engine: Engine,
  folder: string,
  dockerfile: string,
): Promise<BaseImages & { made: boolean }> {
  const text = await readFile(dockerfile, 'utf8');
  const [base, ofNode] = ['BASE', 'NODE'].map((name) => new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(text)?.[1]);
  if (!base || !ofNode) throw new Error(`${dockerfile} names no ARG BASE and ARG NODE`);
  if ((await pulls(engine, base)) && (await pulls(engine, ofNode))) return { base, node: ofNode, made: false };
  if (!(await engine.imageId(debian))) await makeDebian(engine, folder);
  await makeNode(engine, folder);
  return { base: debian, node, made: true };
}

async function pulls(engine: Engine, image: string): Promise<boolean> {
  const pulling = engine.podman('pull', '--quiet', '--policy=missing', image).then(() => true);
  const late = AbortSignal.timeout(registryTimeoutMs);
  const tooLate = new Promise<boolean>((resolve) => late.addEventListener('abort', () => resolve(false)));
  return Promise.race([pulling.catch(() => false), tooLate]);
}

/** `bookworm`, as docker/ says. */
async function makeDebian(engine: Engine, folder: string): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error('no base image can be pulled here, and making one takes root: run this as root');
  const root = join(folder, 'debian');
  const archive = join(folder, 'debian.tar');
  await runCommand('debootstrap', ['--variant=minbase', 'bookworm', root], { cwd: folder });
  await runCommand('tar', ['-C', root, '--exclude=./var/cache/apt/archives/*.deb', '-cf', archive, '.'], {
    cwd: folder,
  });
  await rm(root, { recursive: true });
  await engine.podman('import', archive, debian);
  await rm(archive);
}

/**
 * A Node and an npm that reach the registry as this machine's do: by the same address, and trusting whom NODE_EXTRA_CA_CERTS says. Built
 * every time, which takes a moment when nothing has changed.
 */
async function makeNode(engine: Engine, folder: string): Promise<void> {
  const context = join(folder, 'node');
  await mkdir(context);
  await take(process.execPath, join(context, 'node'));
  await take(await npmFolder(folder), join(context, 'npm'));
  const registry = await runCommand('npm', ['config', 'get', 'registry'], { cwd: folder });
  const trusted = process.env.NODE_EXTRA_CA_CERTS;
  if (trusted) await take(trusted, join(context, 'trusted.crt'));
  const lines = [
    `FROM ${debian}`,
    'COPY node /usr/local/bin/node',
    'COPY npm /usr/local/lib/node_modules/npm',
    'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
    `ENV npm_config_registry=${registry}`,
    ...(trusted ? ['COPY trusted.crt /etc/ssl/trusted.crt', 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/trusted.crt'] : []),
  ];
  const file = join(context, 'Containerfile');
  await writeFile(file, `${lines.join('\n')}\n`);
  await engine.podman('build', ...buildLimits, '--tag', node, '--file', file, context);
  await rm(context, { recursive: true });
}

/** With its times, by which the engine sees that it is what it was. */
async function take(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, preserveTimestamps: true, dereference: true });
}

/** The npm that runs this, else the one on PATH. */
async function npmFolder(cwd: string): Promise<string> {
  const own = process.env.npm_execpath;
  const cli = basename(own ?? '') === 'npm-cli.js' ? own : await runCommand('sh', ['-c', 'command -v npm'], { cwd });
  return dirname(dirname(await realpath(cli ?? '')));
}

/** The engine's own network and limits are not to be had where it runs in a container itself. */
export const buildLimits = ['--network=host', '--ulimit=nofile=4096:4096', '--layers'];

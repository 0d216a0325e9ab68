import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';

const folder = import.meta.dirname;
const repository = join(folder, '..');

/** What the pages are made of. Their tests and stand-ins lie beside them and change nothing. */
const sourceFolders = ['connection', 'desktop', 'file', 'input', 'picture', 'sound', 'style', 'wall'].map((name) =>
  join(folder, name),
);
const sourceFiles = [
  join(folder, 'build.ts'),
  join(folder, 'index.html'),
  join(folder, 'wall.html'),
  join(folder, 'file.html'),
  join(folder, 'icon.svg'),
  join(repository, 'sandbox', 'protocol.ts'),
];

/** So many builds stay: a process that serves an older one goes on doing so. */
const buildsKept = 5;
/** What a build that was killed has left is removed after this long. */
const abandonedAfterMs = 10 * 60_000;

/** The viewer's pages could not be made: the message says why and what to do. */
export class ViewerBuildError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ViewerBuildError';
  }
}

/**
 * Makes the viewer's pages unless they are there already, and returns the folder that holds them: `index.html` (a Desktop's page),
 * `wall.html`, `file.html`, and `assets/`, whose names change with their content. The pages look for the assets at `../viewer/` and
 * `viewer/`, seen from `/d/{desktop}`, `/f/{file}` and `/wall`, so they work below any path.
 *
 * Each build has a folder of its own, named by the hash of its sources, and appears there by one rename: any number of processes may
 * call this at once.
 *
 * @param output where builds are kept
 * @throws ViewerBuildError
 */
export async function buildViewer(output = join(folder, 'dist')): Promise<string> {
  const built = join(output, await hashOfSources());
  if (await exists(join(built, 'index.html'))) {
    await touch(built);
    return built;
  }
  const unfinished = join(output, `.building-${randomUUID()}`);
  try {
    await mkdir(unfinished, { recursive: true });
    try {
      await runVite(unfinished);
      await moveInto(unfinished, built);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    await removeOld(output);
  } catch (error) {
    throw new ViewerBuildError(
      `the viewer's pages could not be built into ${output}: let this process write there, or build them beforehand with "node stream-viewer/build.ts" (${reasonOf(error)})`,
      { cause: error },
    );
  }
  return built;
}

async function runVite(into: string): Promise<void> {
  // Loaded only when there is something to build: a start need not wait for it.
  const { build } = await import('vite');
  await build({
    root: folder,
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: 'warn',
    experimental: {
      renderBuiltUrl: (file, { hostId, hostType }) => {
        if (hostType !== 'html') return { relative: true };
        return hostId.endsWith('wall.html') ? `viewer/${file}` : `../viewer/${file}`;
      },
    },
    build: {
      outDir: into,
      emptyOutDir: false,
      target: ['chrome107', 'safari16.4', 'firefox115'],
      // Nothing inline: the pages are served with a Content-Security-Policy that allows none of it.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: ['index.html', 'wall.html', 'file.html'].map((page) => join(folder, page)) },
    },
  });
}

async function hashOfSources(): Promise<string> {
  const files = [...sourceFiles];
  for (const source of sourceFolders) {
    const names = await readdir(source, { recursive: true });
    files.push(
      ...names
        .filter((name) => /\.(ts|css|svg)$/.test(name) && !/\.test\.ts$/.test(name))
        .map((name) => join(source, name)),
    );
  }
  const hash = createHash('sha256').update(await viteVersion());
  for (const file of files.sort()) hash.update(`\0${relative(repository, file)}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** Exact versions are pinned in package.json. */
async function viteVersion(): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  return String(dependencies.vite);
}

/** Somebody else may have been quicker: theirs is as good. */
async function moveInto(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(await exists(join(to, 'index.html')))) throw error;
  }
}

async function removeOld(output: string): Promise<void> {
  const folders = await Promise.all(
    (await readdir(output)).map(async (name) => {
      const path = join(output, name);
      // One that somebody else removes or renames at this moment is none of ours.
      const at = await stat(path)
        .then(({ mtimeMs }) => mtimeMs)
        .catch(() => Date.now());
      return { path, at, finished: !name.startsWith('.building-') };
    }),
  );
  const old = folders
    .filter(({ finished }) => finished)
    .sort((a, b) => b.at - a.at)
    .slice(buildsKept);
  const abandoned = folders.filter(({ finished, at }) => !finished && Date.now() - at > abandonedAfterMs);
  for (const { path } of [...old, ...abandoned]) await rm(path, { recursive: true, force: true });
}

/** Says that this build is in use, so that it isn't among the oldest. In a read-only image nothing is removed either. */
async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main) process.stdout.write(`${await buildViewer(process.argv[2])}\n`);

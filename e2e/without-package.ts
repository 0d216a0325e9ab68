import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..');
const folders = ['bots', 'core', 'sandbox', 'stream-viewer'];
const files = ['main.ts', 'package.json'];

/** The product in a folder of its own, as if some packages had not been installed there. Disposing of it removes the folder. */
export type Copy = AsyncDisposable & { main: string };

/**
 * Copies the product's sources and links its packages but for `left`, a package or a whole scope (`@seydx`). What the packages themselves
 * import they still find.
 */
export async function copyWithout(left: readonly string[]): Promise<Copy> {
  const copy = await mkdtemp(join(tmpdir(), 'switchboard-without-'));
  for (const name of [...folders, ...files]) await cp(join(repository, name), join(copy, name), { recursive: true });
  const modules = join(copy, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(join(repository, 'node_modules')))
    if (!left.includes(name)) await symlink(join(repository, 'node_modules', name), join(modules, name));
  return { main: join(copy, 'main.ts'), [Symbol.asyncDispose]: () => rm(copy, { recursive: true, force: true }) };
}

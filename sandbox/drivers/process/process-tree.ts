import { readdir, readFile } from 'node:fs/promises';

/** Linux's page; where it is larger (some arm64) we count too little, and measure in the same pages what is too much. */
const pageBytes = 4096;

/** A process of this host. `bytes`: the memory that is its own, resident, less what it shares (proc(5), statm). */
export interface Process {
  pid: number;
  parent: number;
  bytes: number;
}

/** Every process below this one. What is reparented inside a pid namespace stays below its first. */
export async function descendantsOf(first: number): Promise<Process[]> {
  const children = Map.groupBy(await processes(), (each) => each.parent);
  const found: Process[] = [];
  const open = [first];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop())
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      open.push(child.pid);
    }
  return found;
}

/** Kernel threads have no memory. */
async function processes(): Promise<Process[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        const [stat, statm] = await Promise.all(
          ['stat', 'statm'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8')),
        );
        // the program's name, in brackets, may hold anything
        const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const [, resident = 0, shared = 0] = (statm ?? '').split(' ').map(Number);
        return [{ pid: Number(name), parent, bytes: (resident - shared) * pageBytes }];
      } catch (error) {
        // it has ended in between
        if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

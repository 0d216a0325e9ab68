import { readdirSync, readFileSync } from 'node:fs';

/**
 * Every process of this host below this one, its own children first. What is reparented inside a pid namespace stays below its first.
 * Read in one go: the kernel answers at once, and handing each file to a thread takes five times as much processor.
 */
export function descendantsOf(first: number): number[] {
  const children = Map.groupBy(processes(), ({ parent }) => parent);
  const found: number[] = [];
  const open = [first];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop())
    for (const child of children.get(pid) ?? []) {
      found.push(child.pid);
      open.push(child.pid);
    }
  return found;
}

function processes(): { pid: number; parent: number }[] {
  const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return names.flatMap((name) => {
    const stat = unlessGone(() => readFileSync(`/proc/${name}/stat`, 'utf8'));
    if (stat === undefined) return [];
    // the program's name, in brackets, may hold anything
    return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
  });
}

/** What `read` finds out about a process; undefined: it has ended in between, or is another user's on a host that hides those (hidepid). */
export function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

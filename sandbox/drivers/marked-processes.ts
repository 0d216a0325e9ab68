import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that was killed is gone by then. */
const goneWithinMs = 5000;
const variable = 'SWITCHBOARD_SANDBOX';

/** Whose a sandbox is: the Host's id, and the Desktop's. */
export interface Mark {
  owner: string;
  desktop: string;
}

/** The environment by which a sandbox's processes on this host are found again, by a later host process too. */
export function markEnvironment({ owner, desktop }: Mark): Record<string, string> {
  return { [variable]: `${owner}/${desktop}` };
}

/** Kills every process with that mark, and returns when they are gone. Linux only; elsewhere nothing is found. */
export async function endMarked(mark: Mark): Promise<void> {
  const until = Date.now() + goneWithinMs;
  const wanted = markEnvironment(mark)[variable];
  while (Date.now() < until) {
    const found = (await markedProcesses()).filter(({ value }) => value === wanted);
    if (found.length === 0) return;
    for (const { pid } of found) kill(pid);
    await sleep(10);
  }
  throw new Error(`processes of ${mark.desktop} do not end although they were killed: this host has to be looked at`);
}

/** The Desktops of that owner that have processes here. */
export async function markedDesktops(owner: string): Promise<Set<string>> {
  const prefix = `${owner}/`;
  const values = (await markedProcesses()).map(({ value }) => value).filter((value) => value.startsWith(prefix));
  return new Set(values.map((value) => value.slice(prefix.length)));
}

async function markedProcesses(): Promise<{ pid: number; value: string }[]> {
  const found: { pid: number; value: string }[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    // another user's, or gone in between
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
    for (const entry of environment.split('\0'))
      if (entry.startsWith(`${variable}=`)) found.push({ pid: Number(name), value: entry.slice(variable.length + 1) });
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** As root: nobody, since the other tests run as root then. */
const become =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'env', 'HOME=/tmp']
    : ['env'];

/** Empty if an ordinary user can run the driver "process" here, else why not. */
export const noOrdinaryUser = whyNot();

/** Runs a program as a user that has no rights, and gives what it wrote. */
export async function asOrdinaryUser(...command: string[]): Promise<string> {
  const [first = '', ...rest] = [...become, ...command];
  return (await execute(first, rest, { maxBuffer: 10_000_000 })).stdout;
}

function whyNot(): string {
  try {
    for (const tried of [
      [process.execPath, '--check', join(import.meta.dirname, 'ordinary-user.ts')],
      ['bwrap', '--unshare-user', '--ro-bind', '/', '/', 'true'],
    ])
      execFileSync(become[0] ?? '', [...become.slice(1), ...tried], { stdio: 'ignore' });
    return '';
  } catch {
    return 'needs bubblewrap, user namespaces, and a clone that an ordinary user may read';
  }
}

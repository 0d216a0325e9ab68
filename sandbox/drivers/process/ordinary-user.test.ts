import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CommandResult, Limits, Report } from '../driver.ts';

const execute = promisify(execFile);
const program = join(import.meta.dirname, '..', 'testing', 'ordinary-user.ts');
/** As root: nobody, since the other tests run as root then. */
const asUser =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'env', 'HOME=/tmp']
    : ['env'];

/** Empty if an ordinary user can run the driver here, else why not. */
function whyNot(): string {
  try {
    const [first = '', ...rest] = [...asUser, process.execPath, '--check', program];
    execFileSync(first, rest, { stdio: 'ignore' });
    execFileSync(asUser[0] ?? '', [...asUser.slice(1), 'bwrap', '--unshare-user', '--ro-bind', '/', '/', 'true'], {
      stdio: 'ignore',
    });
    return '';
  } catch {
    return 'needs bubblewrap, user namespaces, and a clone that an ordinary user may read';
  }
}
const missing = whyNot();

async function inSandbox(limits: Partial<Limits>, ...commands: string[]): Promise<[Report, ...CommandResult[]]> {
  const [first = '', ...rest] = [...asUser, process.execPath, program, JSON.stringify({ limits, commands })];
  return JSON.parse((await execute(first, rest, { maxBuffer: 10_000_000 })).stdout);
}

describe.skipIf(missing !== '')(`the driver "process" of an ordinary user (${missing || 'works'})`, () => {
  it('isolates without any right, and says what it cannot limit', async () => {
    const [report, who, others] = await inSandbox({}, 'id -un; ls /home', `ps -e | wc -l; kill ${process.pid}`);
    expect(report).toMatchObject({
      works: true,
      detail: expect.stringContaining('memory is watched instead of limited'),
    });
    expect(who?.stdout).toBe('desktop\ndesktop\n');
    expect(Number(others?.stdout)).toBeLessThan(20);
    expect(others?.exitCode).not.toBe(0);
  });

  it('ends the program that takes more memory than all may have together, and leaves the Desktop', async () => {
    const [, greedy, after] = await inSandbox(
      { memoryBytes: 600_000_000 },
      'set -o pipefail; head -c 3000000000 /dev/zero | tail > /dev/null',
      'echo fine',
    );
    expect(greedy?.exitCode).not.toBe(0);
    expect(after?.stdout).toBe('fine\n');
  });

  it('keeps a Desktop within its number of processes, whatever else this user runs', async () => {
    const [, many] = await inSandbox(
      { processes: 60 },
      'for n in $(seq 100); do sleep 5 & done; jobs -p | wc -l; kill $(jobs -p)',
    );
    expect(many?.stderr).toContain('Resource temporarily unavailable');
  });
});

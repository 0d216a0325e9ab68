import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandResult, Limits, Report } from '../driver.ts';
import { asOrdinaryUser, noOrdinaryUser } from '../testing/as-ordinary-user.ts';
import { canHoldShared, holdShared } from '../testing/hold-shared.ts';

const program = join(import.meta.dirname, '..', 'testing', 'ordinary-user.ts');

async function inSandboxes(limits: Partial<Limits>, ...starts: string[][]): Promise<[Report, ...CommandResult[]]> {
  return JSON.parse(await asOrdinaryUser(process.execPath, program, JSON.stringify({ limits, starts })));
}

const inSandbox = (limits: Partial<Limits>, ...commands: string[]) => inSandboxes(limits, commands);

describe.skipIf(noOrdinaryUser !== '')(
  `the driver "process" of an ordinary user (${noOrdinaryUser || 'works'})`,
  { timeout: 60_000 },
  () => {
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

    it.skipIf(!canHoldShared)('ends it as well when that memory could be shared with others', async () => {
      const [, greedy, after] = await inSandbox(
        { memoryBytes: 600_000_000 },
        holdShared({ megabytes: 900 }),
        'echo fine',
      );
      expect(greedy).toMatchObject({ exitCode: 128 + 9 });
      expect(after?.stdout).toBe('fine\n');
    });

    it('counts what files in memory hold, too', async () => {
      const hold = (seconds: number) =>
        `set -o pipefail; (head -c 400000000 /dev/zero; sleep ${seconds}) | tail > /dev/null`;
      const [, alone, fill, together] = await inSandbox(
        { memoryBytes: 600_000_000 },
        hold(1),
        'for place in /tmp /dev/shm; do head -c 140000000 /dev/zero > $place/file; done',
        hold(5),
      );
      expect([alone?.exitCode, fill?.exitCode, together?.exitCode]).toEqual([0, 0, 128 + 9]);
    });

    it('starts a Desktop again in whose home somebody has shut a folder', async () => {
      const [, shut, again, open] = await inSandboxes(
        {},
        ['mkdir -p shut/below .config; echo kept > shut/below/file; chmod 000 shut .config'],
        ['stat -c %a shut', 'chmod 700 shut; cat shut/below/file'],
      );
      expect([shut?.exitCode, again?.stdout, open?.stdout]).toEqual([0, '0\n', 'kept\n']);
    });

    it('keeps a Desktop within its number of processes, whatever else this user runs', async () => {
      const [, many] = await inSandbox(
        { processes: 60 },
        'for n in $(seq 100); do sleep 5 & done; jobs -p | wc -l; kill $(jobs -p)',
      );
      expect(many?.stderr).toContain('Resource temporarily unavailable');
    });
  },
);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { markedDesktops } from './marked-processes.ts';
import { findGroupParents, groupNames } from './process/control-group.ts';
import { makeFolders, run, startTestSandbox } from './testing/test-sandbox.ts';
import { triedDrivers } from './testing/working-drivers.ts';

const root = process.getuid?.() === 0;

for (const { driver, report, owner } of await triedDrivers())
  describe.skipIf(!report.works)(`leftovers of the driver "${driver.name}" (${report.detail})`, () => {
    afterEach(() => driver.sweep(new Set()));

    it('are ended, but for the Desktops that are kept', async () => {
      await using kept = await startTestSandbox(driver);
      await using left = await startTestSandbox(driver);
      await driver.sweep(new Set([kept.folders.request().desktop]));
      await left.sandbox.ended;
      expect((await run(kept.sandbox, 'echo works')).stdout).toBe('works\n');
    });

    it.skipIf(driver.name !== 'process')(
      'do not outlive a host that is killed, and their groups go with the sweep',
      async () => {
        await using folders = await makeFolders();
        const request = folders.request();
        const host = spawn(
          process.execPath,
          [join(import.meta.dirname, 'testing', 'host-to-kill.ts'), owner, JSON.stringify(request)],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        await once(host.stdout, 'data');
        expect([...(await markedDesktops(owner))]).toEqual([request.desktop]);
        host.kill('SIGKILL');
        await expect.poll(() => markedDesktops(owner)).toEqual(new Set());

        await driver.sweep(new Set());
        const parents = await findGroupParents();
        if (root && parents) expect(await groupNames(parents, `switchboard-${owner}-`)).toEqual([]);
        expect(await readdir(folders.home)).toBeDefined();
      },
    );
  });

import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from './folder-lock.ts';
import { openHostFolder } from './host-folder.ts';
import { HostConfigurationError } from './read-host-settings.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'folder-'));
});

afterEach(() => rm(directory, { recursive: true }));

describe('the folder of a host', () => {
  it('keeps the id that was made at the first start', async () => {
    const first = await openHostFolder({ directory });
    await first.close();
    const second = await openHostFolder({ directory });
    await second.close();
    expect(first.host).toMatch(/^h-[0-9a-f]{12}$/);
    expect(second.host).toBe(first.host);
  });

  it('takes the name that was configured', async () => {
    for (const name of ['build-1', 'h-build-1']) {
      const folder = await openHostFolder({ directory, name });
      expect(folder.host).toBe('h-build-1');
      await folder.close();
    }
  });

  it('is for this user only', async () => {
    const folder = await openHostFolder({ directory: join(directory, 'host') });
    for (const path of [join(directory, 'host'), await folder.openHome('h'), await folder.openRuntime('d-1')])
      expect((await stat(path)).mode & 0o777).toBe(0o700);
    await folder.close();
  });

  it('opens a home again that was shut from inside', async () => {
    const folder = await openHostFolder({ directory });
    await chmod(await folder.openHome('h'), 0o000);
    expect((await stat(await folder.openHome('h'))).mode & 0o777).toBe(0o700);
    await folder.close();
  });

  it('is one host’s at a time, and waits for one that is just ending', async () => {
    const unlock = await lockFolder(directory);
    await expect(lockFolder(directory, 200)).rejects.toThrow(HostConfigurationError);
    setTimeout(unlock, 200);
    const again = await lockFolder(directory, 5000);
    await again();
  });

  it('has runtime folders that are short enough for sockets, however deep it lies', async () => {
    const deep = join(directory, 'a'.repeat(80), 'b'.repeat(80));
    const folder = await openHostFolder({ directory: deep });
    const runtime = await folder.openRuntime('d-1');
    expect(runtime.length).toBeLessThan(85);
    await folder.removeRuntime(runtime);
    await folder.close();
    expect(await readdir(join(runtime, '..'))).toEqual([]);
    await rm(join(runtime, '..'), { recursive: true });
  });

  it('gives a Desktop an empty runtime folder, whatever an earlier one has left', async () => {
    const folder = await openHostFolder({ directory });
    const runtime = await folder.openRuntime('d-1');
    await writeFile(join(runtime, 'X'), '');
    expect(await readdir(await folder.openRuntime('d-1'))).toEqual([]);
    await folder.close();
  });
});

import { lstat, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fillRuntimeFolder } from './runtime-folder.ts';

it('takes no link for the X socket, which a start file in the home could put there before the host has looked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'runtime-'));
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const runtime = await fillRuntimeFolder(folder, self, self);
  const ofTheHost = createServer().listen(join(folder, 'another.sock'));
  try {
    await symlink(join(folder, 'another.sock'), join(runtime.sockets, 'X0'));
    await expect(runtime.display(0)).rejects.toThrow('in the place of its X socket');
    await expect(lstat(join(folder, 'X'))).rejects.toThrow('ENOENT');
  } finally {
    ofTheHost.close();
    await rm(folder, { recursive: true });
  }
});

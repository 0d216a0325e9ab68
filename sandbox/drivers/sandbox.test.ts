import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectX } from '../x11/connect.ts';
import type { Sandbox } from './driver.ts';
import { run, startTestSandbox, type TestFolders, windowSizes } from './testing/test-sandbox.ts';
import { triedDrivers } from './testing/working-drivers.ts';

for (const { driver, report } of await triedDrivers())
  describe.skipIf(!report.works)(`a sandbox by the driver "${driver.name}" (${report.detail})`, () => {
    let sandbox: Sandbox;
    let folders: TestFolders;
    let dispose: () => Promise<void>;

    beforeAll(async () => {
      const started = await startTestSandbox(driver, { width: 360, height: 640 });
      ({ sandbox, folders } = started);
      dispose = async () => started[Symbol.asyncDispose]();
    });
    afterAll(() => dispose?.());

    it('has a screen of the size that was asked for, which the host reaches with the cookie', async () => {
      await using x = await connectX(sandbox.display);
      const { width, height } = await x.ask<{ width: number; height: number }>((reply) =>
        x.client.GetGeometry(x.root, reply),
      );
      expect([width, height]).toEqual([360, 640]);
    });

    it('refuses the screen to whoever lacks the cookie', async () => {
      await expect(connectX({ ...sandbox.display, cookie: '0'.repeat(32) })).rejects.toThrow();
    });

    it('shows a terminal that fills the screen', async () => {
      const fills = ({ width, height }: { width: number; height: number }) => width >= 355 && height >= 635;
      await expect.poll(() => windowSizes(sandbox)).toSatisfy((sizes: []) => sizes.some(fills));
    });

    it('opens another one when that is closed', async () => {
      await run(sandbox, 'pkill xterm; sleep 0.1');
      await expect.poll(() => run(sandbox, 'pgrep xterm')).toMatchObject({ exitCode: 0 });
    });

    it('shows what a command puts on the screen in the background, and does not wait for it', async () => {
      const before = (await windowSizes(sandbox)).length;
      // It would take all of its time if it waited.
      expect(await run(sandbox, 'xterm &')).toMatchObject({ exitCode: 0, timedOut: false });
      await expect.poll(async () => (await windowSizes(sandbox)).length).toBeGreaterThan(before);
    });

    it('runs a command in its home, as nobody of the host, and tells what it wrote and how it ended', async () => {
      expect(await run(sandbox, 'pwd; echo wrong >&2; exit 3')).toEqual({
        exitCode: 3,
        stdout: '/home/desktop\n',
        stderr: 'wrong\n',
        truncated: false,
        timedOut: false,
      });
      expect((await run(sandbox, 'id -un')).stdout).toBe('desktop\n');
      expect((await run(sandbox, 'kill -TERM $$')).exitCode).toBe(128 + 15);
    });

    it('keeps the beginning of an output that is too long, and says so', async () => {
      const { stdout, truncated } = await sandbox.run({
        command: 'yes | head -c 10000000',
        timeoutMs: 10_000,
        outputBytes: 1000,
      });
      expect([stdout, truncated]).toEqual(['y\n'.repeat(500), true]);
    });

    it('kills a command that takes too long, with all it has started', async () => {
      const slow = await run(sandbox, 'sleep 4321 & sleep 4321', 300);
      expect([slow.timedOut, slow.exitCode]).toEqual([true, 128 + 9]);
      await expect.poll(() => run(sandbox, 'pgrep -x sleep')).toMatchObject({ exitCode: 1 });
    });

    it('kills a command that is no longer wanted', async () => {
      const { exitCode, timedOut } = await sandbox.run({
        command: 'sleep 4321',
        timeoutMs: 10_000,
        outputBytes: 100,
        signal: AbortSignal.timeout(200),
      });
      expect([exitCode, timedOut]).toEqual([128 + 9, false]);
    });

    it('writes and reads files of its home, which are there on the host, too', async () => {
      const text = Buffer.from('héllo 世界 🙂');
      await sandbox.writeFile('notes/today.txt', text);
      expect((await readFile(join(folders.home, 'notes/today.txt'))).equals(text)).toBe(true);
      expect(await sandbox.readFile('notes/today.txt', 1, 2)).toEqual({ data: text.subarray(1, 3), size: text.length });
      expect((await sandbox.readFile('/home/desktop/notes/today.txt', 100, 10)).data).toHaveLength(0);
      expect((await run(sandbox, 'cat notes/today.txt; rm -r notes')).stdout).toBe(text.toString());
    });

    it('carries a file of 8 MB both ways', async () => {
      const data = Buffer.alloc(8_000_000, 'x');
      await sandbox.writeFile('big', data);
      expect((await sandbox.readFile('big', 0, 8_000_000)).data.equals(data)).toBe(true);
      await run(sandbox, 'rm big');
    });

    it('reads no folder, no pipe, and says what is missing', async () => {
      await run(sandbox, 'mkfifo pipe');
      await expect(sandbox.readFile('pipe', 0, 10)).rejects.toThrow('pipe is no plain file');
      await expect(sandbox.readFile('.', 0, 10)).rejects.toThrow('is a folder');
      await expect(sandbox.readFile('nothing', 0, 10)).rejects.toThrow('no such file');
    });

    it('follows a symbolic link only to what it sees itself', async () => {
      const secret = join(folders.runtime, 'secret');
      await writeFile(secret, 'of the host');
      await symlink(secret, join(folders.home, 'link'));
      await expect(sandbox.readFile('link', 0, 100)).rejects.toThrow('no such file');
      await expect(sandbox.writeFile('link', Buffer.from('x'))).rejects.toThrow();
      expect(await readFile(secret, 'utf8')).toBe('of the host');
    });

    it('keeps the X socket that the host uses, whatever programs inside put in its place', async () => {
      await run(sandbox, 'mv /tmp/.X11-unix/X0 /tmp/.X11-unix/away; ln -s /var/run/docker.sock /tmp/.X11-unix/X0');
      await using x = await connectX(sandbox.display);
      expect(x.root).toBeGreaterThan(0);
      await run(sandbox, 'mv /tmp/.X11-unix/away /tmp/.X11-unix/X0');
    });

    it('refuses to open what is no web address', async () => {
      await expect(sandbox.openUrl('file:///etc/passwd')).rejects.toThrow('only http and https');
    });

    it('says why it has ended when its screen dies, and leaves no process', async () => {
      await using second = await startTestSandbox(driver);
      // its own answer may come too late
      await run(second.sandbox, 'pkill -KILL Xvfb').catch(() => {});
      expect(await second.sandbox.ended).toMatch(/the X server has ended|window manager/);
      await expect(run(second.sandbox, 'true')).rejects.toThrow('has ended');
    });

    it('keeps its home, and nothing else, when it is stopped and started again', async () => {
      await using started = await startTestSandbox(driver);
      await run(started.sandbox, 'echo kept > kept; echo lost > /tmp/lost');
      await started.sandbox.stop();
      const again = await driver.start({ ...started.folders.request(), runtime: await started.folders.another() });
      expect((await run(again, 'cat kept; cat /tmp/lost')).stdout).toBe('kept\n');
      await again.stop();
      expect(await readdir(started.folders.home)).toContain('kept');
    });
  });

import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox } from './driver.ts';
import { run, startTestSandbox, testLimits } from './testing/test-sandbox.ts';
import { triedDrivers } from './testing/working-drivers.ts';

/** What a process of the host keeps to itself: in its environment, and in a file that anybody on the host may read. */
const secret = 'kept-by-the-host';

for (const { driver, report } of await triedDrivers())
  describe.skipIf(!report.works)(`out of the driver "${driver.name}" (${report.detail})`, () => {
    let sandbox: Sandbox;
    let dispose: () => Promise<void>;
    let folder: string;

    beforeAll(async () => {
      process.env.ESCAPE_TEST_SECRET = secret;
      folder = await mkdtemp(join(tmpdir(), 'escape-test-'));
      await writeFile(join(folder, 'file'), secret, { mode: 0o644 });
      const started = await startTestSandbox(driver);
      sandbox = started.sandbox;
      dispose = async () => started[Symbol.asyncDispose]();
    });
    afterAll(async () => {
      delete process.env.ESCAPE_TEST_SECRET;
      await dispose?.();
      await rm(folder, { recursive: true });
    });

    it('nobody reads the home of whoever runs the host, its files in /tmp, or its passwords', async () => {
      const { stdout } = await run(
        sandbox,
        `cat ${folder}/file; ls -a ${homedir()} ${import.meta.dirname}; cat /etc/shadow; ls /root /home`,
      );
      expect(stdout.trim()).toBe('/home:\ndesktop');
    });

    it('nobody reads them through another process either', async () => {
      const everywhere = `for root in /proc/[0-9]*/root; do cat $root${folder}/file; done; cat /proc/self/root${folder}/file`;
      expect((await run(sandbox, everywhere)).stdout).not.toContain(secret);
    });

    it('nobody sees or signals a process of the host', async () => {
      const { stdout } = await run(sandbox, `kill -KILL ${process.pid} 2>/dev/null && echo killed; ps -eo args`);
      expect(stdout).not.toContain('killed');
      expect(stdout).not.toContain('vitest');
    });

    it('nobody reads the environment of a process of the host', async () => {
      expect((await run(sandbox, 'cat /proc/[0-9]*/environ')).stdout).not.toContain(secret);
    });

    it('nobody reaches what listens on the host’s loopback, such as a database', async () => {
      let reached = 0;
      const server = createServer(() => reached++).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const { exitCode } = await run(sandbox, `echo > /dev/tcp/127.0.0.1/${port}`);
      server.close();
      expect([exitCode, reached]).toEqual([1, 0]);
    });

    it('nobody reaches an abstract socket of the host', async () => {
      const name = `\0escape-test-${process.pid}`;
      let reached = 0;
      const server = createServer(() => reached++).listen(name);
      await once(server, 'listening');
      const connect = `require('net').connect('\\0${name.slice(1)}').on('error', (e) => console.log(e.code))`;
      const node = driver.name === 'process' ? '/opt/switchboard/node' : 'node';
      const { stdout } = await run(sandbox, `${node} -e "${connect}"`);
      server.close();
      expect([stdout.trim(), reached]).toEqual(['ECONNREFUSED', 0]);
    });

    it('nobody reaches a cloud’s metadata address, the network, or its names', async () => {
      for (const target of ['169.254.169.254/80', '1.1.1.1/443'])
        expect((await run(sandbox, `timeout 2 bash -c 'echo > /dev/tcp/${target}'`)).exitCode).not.toBe(0);
      expect((await run(sandbox, 'getent hosts example.org')).exitCode).not.toBe(0);
      expect((await run(sandbox, 'cat /proc/net/dev')).stdout).not.toMatch(/eth|ens|enp|wlan/);
    });

    it('with hosts that are allowed, the way out leads to no other, and never to this host or its network', async () => {
      const network = { kind: 'allow', hosts: ['example.org', 'localhost', '169.254.169.254'] } as const;
      await using open = await startTestSandbox(driver, { network });
      for (const target of ['other.example:443', 'localhost:80', '169.254.169.254:80', '127.0.0.1:80']) {
        const ask = `exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT ${target} HTTP/1.1\\r\\n\\r\\n' >&3; head -n 1 <&3`;
        expect((await run(open.sandbox, ask)).stdout).toMatch(/^HTTP\/1.1 403 /);
      }
      expect((await run(open.sandbox, 'echo $https_proxy')).stdout).toBe('http://127.0.0.1:3128\n');
      expect((await run(open.sandbox, `timeout 2 bash -c 'echo > /dev/tcp/1.1.1.1/443'`)).exitCode).not.toBe(0);
    });

    it('nobody becomes root, mounts, or makes a device', async () => {
      const { stdout } = await run(
        sandbox,
        'grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; su -c id; mount -t tmpfs t /mnt && echo m',
      );
      expect(stdout).toBe('CapEff:\t0000000000000000\nNoNewPrivs:\t1\n');
      expect((await run(sandbox, 'mknod device b 8 0')).exitCode).not.toBe(0);
    });

    it('nobody writes outside the home and what vanishes', async () => {
      const places = '/ /etc /usr /usr/local /opt/switchboard/inside /run/desktop /var /proc/sys/kernel /dev';
      const { stdout } = await run(sandbox, `for place in ${places}; do touch $place/mine && echo $place; done`);
      expect(stdout).toBe('');
    });

    it('a fork bomb fills the Desktop’s processes and no more: the host starts others, and the Desktop recovers or ends', async () => {
      await using bombed = await startTestSandbox(driver, { limits: { processes: 80 } });
      // A container's processes may be another machine's.
      if (driver.name === 'process') expect(await processesOf(bombed.folders.home)).toBeGreaterThan(0);
      // it may end the Desktop: then there is no answer
      await run(bombed.sandbox, 'bomb() { bomb | bomb & }; bomb; sleep 2', 5000).catch(() => {});
      expect(await processesOf(bombed.folders.home)).toBeLessThan(100);
      expect((await run(sandbox, 'echo fine')).stdout).toBe('fine\n');
      await bombed.sandbox.stop();
    });

    it('memory beyond the limit ends who takes it, not the host', async () => {
      const free = freemem();
      // tail keeps the last line, and this one has no end
      const greedy = `set -o pipefail; head -c ${testLimits.memoryBytes + 1_000_000_000} /dev/zero | tail > /dev/null`;
      const { exitCode } = await run(sandbox, greedy, 30_000);
      expect(exitCode).not.toBe(0);
      expect(freemem()).toBeGreaterThan(free - testLimits.memoryBytes);
      expect((await run(sandbox, 'echo fine')).stdout).toBe('fine\n');
    });

    it('files in memory count as memory', async () => {
      const fill =
        'for place in /tmp /dev/shm; do dd if=/dev/zero of=$place/full bs=1M count=3000; done 2>/dev/null; du -sm /tmp /dev/shm | cut -f1';
      const { stdout } = await run(sandbox, fill, 20_000);
      for (const megabytes of stdout.trim().split('\n'))
        expect(Number(megabytes) * 1e6).toBeLessThan(testLimits.memoryBytes / 2);
      await run(sandbox, 'rm -f /tmp/full /dev/shm/full');
    });

    it('a disk that fills ends the Desktop, by one file or by many, and the host has the rest', async () => {
      const limits = { diskBytes: 50_000_000 };
      await using one = await startTestSandbox(driver, { limits });
      // it may end the Desktop: then there is no answer
      await run(one.sandbox, 'head -c 60000000 /dev/zero > big').catch(() => {});
      expect((await stat(join(one.folders.home, 'big'))).size).toBeLessThanOrEqual(limits.diskBytes);

      await using many = await startTestSandbox(driver, { limits });
      const before = await freeBytes();
      void run(
        many.sandbox,
        'while true; do head -c 10000000 /dev/zero > file$n; n=$((n + 1)); sleep 0.01; done',
      ).catch(() => {});
      expect(await many.sandbox.ended).toMatch(/its home holds \d+ MB and may hold 50 MB/);
      expect(before - (await freeBytes())).toBeLessThan(5_000_000_000);
    });

    // A container's processes may be another machine's: what they have removed is not seen.
    it.skipIf(driver.name !== 'process')('files that were removed and are still open count, too', async () => {
      await using one = await startTestSandbox(driver, { limits: { diskBytes: 50_000_000 } });
      const hidden = 'exec {held}>f; rm f; head -c 40000000 /dev/zero >&$held';
      void run(one.sandbox, `for n in 1 2 3; do ${hidden}; done; sleep 30`, 40_000).catch(() => {});
      expect(await one.sandbox.ended).toMatch(/its home holds \d+ MB and may hold 50 MB/);
    });

    it('an answer of any size from inside does not fill the host', async () => {
      const { stdout, truncated } = await sandbox.run({
        command: 'head -c 500000000 /dev/zero',
        timeoutMs: 20_000,
        outputBytes: 1000,
      });
      expect([stdout.length, truncated]).toEqual([1000, true]);
    });
  });

/** How many processes of this host have that folder in their view: the sandbox's. */
async function processesOf(home: string): Promise<number> {
  const folder = home.slice(home.indexOf('/sandbox-test-'));
  const views = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((name) => readFile(`/proc/${name}/mountinfo`, 'utf8').catch(() => '')),
  );
  return views.filter((view) => view.includes(folder)).length;
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(tmpdir());
  return bavail * bsize;
}

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { missingPackages } from '../system-packages.mjs';
import { connectX } from '../x11/connect.ts';
import { run, startTestSandbox } from './testing/test-sandbox.ts';
import { createUnisolatedDriver } from './unisolated-driver.ts';

const driver = createUnisolatedDriver({ owner: `test-${randomUUID().slice(0, 8)}` });

const needed = missingPackages().filter((name) => ['xvfb', 'openbox', 'xterm', 'x11-xserver-utils'].includes(name));

describe.skipIf(needed.length > 0)(`a Desktop without isolation (missing: ${needed.join(' ') || 'nothing'})`, () => {
  afterEach(() => driver.sweep(new Set()));

  it('has a screen and a home of its own', async () => {
    await using started = await startTestSandbox(driver);
    await using x = await connectX(started.sandbox.display);
    expect(x.root).toBeGreaterThan(0);
    expect((await run(started.sandbox, 'cd; pwd; echo $HOME')).stdout).toBe(`${started.folders.home}\n`.repeat(2));
  });

  it('leaves nothing running when it is stopped, in the background neither', async () => {
    await using started = await startTestSandbox(driver);
    const { stdout } = await run(started.sandbox, 'setsid sleep 4321 & echo $!');
    await started.sandbox.stop();
    // one that nobody has waited for yet is there still, without anything of its own
    const left = await readFile(`/proc/${stdout.trim()}/cmdline`, 'utf8').catch(() => '');
    expect(left).toBe('');
  });

  it('has a way out of its own beside another with one, each to the hosts that it may reach', async () => {
    const allow = (host: string) => startTestSandbox(driver, { network: { kind: 'allow', hosts: [host] } });
    await using one = await allow('one.invalid');
    await using another = await allow('another.invalid');
    // A name without an address gets further than one that may not be reached.
    const ask = (host: string) =>
      `exec 3<>/dev/tcp/127.0.0.1/\${https_proxy##*:}; printf 'CONNECT ${host}:443 HTTP/1.1\\r\\n\\r\\n' >&3; head -n 1 <&3`;
    const answers = await Promise.all(
      [one, another].flatMap(({ sandbox }) =>
        ['one.invalid', 'another.invalid'].map(async (host) => (await run(sandbox, ask(host))).stdout.slice(9, 12)),
      ),
    );
    expect(answers).toEqual(['502', '403', '403', '502']);
  });

  it('keeps the host’s environment to the host', async () => {
    process.env.UNISOLATED_TEST_SECRET = 'x';
    await using started = await startTestSandbox(driver);
    expect((await run(started.sandbox, 'env')).stdout).not.toContain('UNISOLATED_TEST_SECRET');
    delete process.env.UNISOLATED_TEST_SECRET;
  });
});

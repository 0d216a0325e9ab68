import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseDriver } from './drivers/choose-driver.ts';
import { hostStarted } from './host/embedding-messages.ts';
import type { FromHost } from './host/messages.ts';
import { askOn, type CoreStandIn, isDesktop, startCoreStandIn } from './host/testing/core-stand-in.ts';
import { houseToken, wish } from './host/testing/host-house.ts';

const program = join(import.meta.dirname, 'index.ts');
const { driver } = await chooseDriver({ owner: 'test-index', unisolated: false });
const still = { method: 'still', format: 'jpeg', quality: 50 };

let directory: string;
let core: CoreStandIn;
let processes: ChildProcess[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'host-'));
  core = await startCoreStandIn(houseToken);
  processes = [];
});

afterEach(async () => {
  for (const child of processes) await end(child, 'SIGKILL');
  await core[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function startHost(extra: Record<string, string> = {}): ChildProcess & { errors: () => string } {
  const env = { PATH: process.env.PATH, CORE_URL: core.url, HOST_TOKEN: houseToken, HOST_DIR: directory, ...extra };
  const child = spawn(process.execPath, [program], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  processes.push(child);
  return Object.assign(child, { errors: () => said });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  return (await ended)[0];
}

/** State and parent of a process (proc(5), stat); undefined: it is gone. */
async function statOf(pid: number): Promise<{ state: string; parent: number } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const [state = '', parent] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return stat === undefined ? undefined : { state, parent: Number(parent) };
}

/** Everything that a process has started, and what that has started. */
async function descendantsOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await statOf(Number(name)) : undefined;
    if (stat) parents.set(Number(name), stat.parent);
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found.slice(1);
}

/** Which of these still run; one that only waits to be buried does not. */
async function alive(pids: readonly number[]): Promise<number[]> {
  const stats = await Promise.all(pids.map(async (pid) => ({ pid, stat: await statOf(pid) })));
  return stats.flatMap(({ pid, stat }) => (stat && stat.state !== 'Z' ? pid : []));
}

const isRegistration = (message: FromHost): message is Extract<FromHost, { type: 'register' }> =>
  message.type === 'register';

describe('npm run host', () => {
  it('says what is missing in one sentence', async () => {
    const child = startHost({ HOST_TOKEN: '' });
    expect((await once(child, 'exit'))[0]).toBe(1);
    expect(child.errors()).toBe('switchboard host: HOST_TOKEN is not set: give the core and this host the same one\n');
  });

  it('refuses a folder that another host has', { timeout: 60_000 }, async () => {
    startHost();
    await core.hears(isRegistration);
    const second = startHost();
    expect((await once(second, 'exit'))[0]).toBe(1);
    expect(second.errors()).toMatch(/another sandbox host runs in .*: stop that one, or set HOST_DIR/);
  });
});

describe.skipIf(!driver)(`a host with Desktops${driver ? '' : ' (skipped: no driver works here)'}`, () => {
  it('shows their screens and lets them work', { timeout: 60_000 }, async () => {
    startHost();
    core.want([wish('d-1')]);
    await core.hears(isDesktop('d-1', 'running'));
    const ask = askOn(await core.dialled('d-1', 'channel'));
    const picture = await ask(still);
    expect(picture.reply).toMatchObject({ result: { width: 640, height: 480 } });
    expect(picture.data?.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    const run = await ask({ method: 'run', command: 'echo $((6 * 7))', timeoutMs: 10_000, outputBytes: 100 });
    expect(run.reply).toMatchObject({ result: { exitCode: 0, stdout: '42\n' } });
    const secret = await ask({
      method: 'run',
      command: 'env; cat /proc/*/environ',
      timeoutMs: 10_000,
      outputBytes: 100_000,
    });
    expect(JSON.stringify(secret.reply)).not.toContain(houseToken);
    expect(core.wrong).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'leaves nothing running after %s, and keeps homes',
    { timeout: 60_000 },
    async (signal) => {
      const host = startHost();
      core.want([wish('d-1'), wish('d-2', 1, { recording: 'a-1' })]);
      await Promise.all([core.hears(isDesktop('d-1', 'running')), core.hears(isDesktop('d-2', 'running'))]);
      const ask = askOn(await core.dialled('d-1', 'channel'));
      await ask(still);
      await ask({ method: 'run', command: 'echo kept > kept', timeoutMs: 10_000, outputBytes: 100 });
      const started = await descendantsOf(host.pid ?? 0);
      // Two screens, two window managers and so on, and two streamers: one for the still, one that records.
      expect(started.length).toBeGreaterThan(8);
      await end(host, signal);
      for (let tries = 0; (await alive(started)).length > 0 && tries < 50; tries++) await sleep(100);
      expect(await alive(started)).toEqual([]);
      expect(existsSync(join(directory, 'homes', 'home-of-d-1', 'kept'))).toBe(true);

      // The same host comes back as the same, with its Desktops.
      const before = core.said.length;
      startHost();
      await core.hears(isDesktop('d-1', 'running'), before);
      const again = askOn(await core.dialled('d-1', 'channel'));
      expect((await again({ method: 'read_file', path: 'kept', offset: 0, limit: 10 })).data?.toString()).toBe(
        'kept\n',
      );
      const hosts = core.said.flatMap((message) => (message.type === 'register' ? message.host : []));
      expect(new Set(hosts).size).toBe(1);
    },
  );
});

describe('a host beside its core', () => {
  it('takes its settings over IPC, says what it can do, and ends with the process that started it', {
    timeout: 60_000,
  }, async () => {
    const child = fork(program, ['embedded'], {
      cwd: directory,
      env: { PATH: process.env.PATH },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    processes.push(child);
    child.send({ settings: { CORE_URL: core.url, HOST_TOKEN: houseToken, DATA_DIR: directory, LOG_LEVEL: 'silent' } });
    const [said] = await once(child, 'message');
    expect(hostStarted.parse(said).line).toMatch(driver ? /^up to \d+ at once/ : /^not available: /);
    await core.hears(isRegistration);
    const exited = once(child, 'exit');
    // Ctrl-C at a terminal reaches it as well, and is not for it.
    child.kill('SIGINT');
    await sleep(200);
    expect(child.exitCode).toBeNull();
    child.disconnect();
    expect((await exited)[0]).toBe(0);
  });
});

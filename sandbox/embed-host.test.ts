import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedHost, type Embedding, embedHost } from './embed-host.ts';
import type { FromHost } from './host/messages.ts';
import { type CoreStandIn, startCoreStandIn } from './host/testing/core-stand-in.ts';
import { houseToken, until } from './host/testing/host-house.ts';

const isRegistration = (message: FromHost): message is Extract<FromHost, { type: 'register' }> =>
  message.type === 'register';

let directory: string;
let core: CoreStandIn;
let host: EmbeddedHost | undefined;
let warned: string[];

function embedding(): Embedding {
  return {
    coreUrl: core.url,
    hostToken: houseToken,
    dataDirectory: directory,
    log: { level: 'silent', warn: (_fields, message) => void warned.push(message) },
  };
}

/** The processes that this one has started, with their command lines. */
function children(): { pid: number; command: string }[] {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return lines
    .trim()
    .split('\n')
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line }))
    .filter(({ command }) => command.includes('sandbox/index.ts'));
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded-'));
  core = await startCoreStandIn(houseToken);
  warned = [];
});

afterEach(async () => {
  delete process.env.EMBEDDED_HOST;
  await host?.stop();
  host = undefined;
  await core[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

describe('the host that comes with npm start', () => {
  it('dials its core with the token that it was handed, in a process of its own, and ends with it', async () => {
    const printed: string[] = [];
    host = await embedHost(embedding(), (text) => void printed.push(text));
    await core.hears(isRegistration);
    await until(() => printed.length > 0);
    expect(printed).toEqual([expect.stringMatching(/^ {2}Desktops {3}(up to \d+ at once|not available: )/)]);
    const [child] = children();
    // Neither an argument nor a variable that others could read.
    expect(child?.command).not.toContain(houseToken);
    expect(readFileSync(`/proc/${child?.pid}/environ`, 'utf8')).not.toContain(houseToken);
    await host?.stop();
    expect(children()).toEqual([]);
    expect(warned).toEqual([]);
  });

  it('is started again when it dies, as the same host', async () => {
    host = await embedHost(embedding(), () => undefined);
    const first = await core.hears(isRegistration);
    const before = core.said.length;
    process.kill(children()[0]?.pid ?? 0, 'SIGKILL');
    const second = await core.hears(isRegistration, before);
    expect(second.host).toBe(first.host);
    expect(warned).toEqual(['the sandbox host has ended by itself; it is started again']);
  });

  it('does not come with EMBEDDED_HOST=false', async () => {
    process.env.EMBEDDED_HOST = 'false';
    host = await embedHost(embedding());
    expect(host).toBeUndefined();
    expect(children()).toEqual([]);
  });
});

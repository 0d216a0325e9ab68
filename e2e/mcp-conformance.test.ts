import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type McpHouse, openMcpHouse } from '../core/mcp/testing/mcp-house.ts';
import { toolNames } from '../core/tools/tool-names.ts';
import { inspect } from './clients/inspector.ts';
import { type McpProxy, startMcpProxy } from './clients/mcp-proxy.ts';
import { findToolSchemaProblem } from './stand-ins/tool-schema.ts';

let house: McpHouse;
let proxy: McpProxy;
beforeAll(async () => {
  house = await openMcpHouse();
  proxy = await startMcpProxy({ target: house.url, token: await house.token() });
});
afterAll(async () => {
  await proxy.close();
  await house[Symbol.asyncDispose]();
});

const Checks = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }));

/** Runs one scenario of `conformance server` (npm `@modelcontextprotocol/conformance`) through the proxy, and reads its checks. */
async function conform(scenario: string): Promise<{ output: string; checks: z.output<typeof Checks> }> {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
  const program = join(dirname(manifest), 'dist', 'index.js');
  const directory = await mkdtemp(join(tmpdir(), 'switchboard-conformance-'));
  try {
    const url = `${proxy.url}/workers/w-owner/mcp`;
    const args = ['server', '--url', url, '--scenario', scenario, '--output-dir', directory];
    const child = spawn(process.execPath, [program, ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    const files = await readdir(directory, { recursive: true });
    const [file] = files.filter((name) => name.endsWith('checks.json'));
    const checks = file ? Checks.parse(JSON.parse(await readFile(join(directory, file), 'utf8'))) : [];
    return { output: `${stdout}\n${stderr}`, checks };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe('MCP conformance', { timeout: 60_000 }, () => {
  it.each(['server-initialize', 'ping', 'tools-list', 'prompts-list', 'resources-list', 'dns-rebinding-protection'])(
    '%s passes',
    async (scenario) => {
      const { checks, output } = await conform(scenario);
      expect(checks.length, output).toBeGreaterThan(0);
      expect(
        checks.filter(({ status }) => status !== 'SUCCESS'),
        output,
      ).toEqual([]);
    },
  );
});

describe('the inspector', { timeout: 60_000 }, () => {
  const endpoint = async (worker: 'w-owner' | 'w-assistant') => ({
    url: house.url,
    worker,
    token: await house.token(worker),
  });

  it('lists every tool with its schema whole', async () => {
    const { code, stdout, stderr } = await inspect(await endpoint('w-owner'), ['--method', 'tools/list']);
    expect(code, stderr).toBe(0);
    const { tools } = z
      .object({ tools: z.array(z.object({ name: z.string(), inputSchema: z.record(z.string(), z.unknown()) })) })
      .parse(JSON.parse(stdout));
    expect(tools.map(({ name }) => name).sort()).toEqual([...toolNames]);
    for (const { name, inputSchema } of tools) expect(findToolSchemaProblem(inputSchema), name).toBeUndefined();
    const hire = tools.find(({ name }) => name === 'hire_worker');
    expect(hire?.inputSchema.properties).toMatchObject({ kind: { type: 'string', enum: ['human', 'ai'] } });
  });

  it('calls a tool, and is told what is valid when it gets it wrong', async () => {
    const call = (kind: string) => [
      '--method',
      'tools/call',
      '--tool-name',
      'hire_worker',
      '--tool-arg',
      'name=Sam',
      '--tool-arg',
      `kind=${kind}`,
      '--tool-arg',
      'position=p-assistant',
      '--tool-arg',
      'grants=["dm"]',
      '--tool-arg',
      'subscriptions=s-general',
    ];
    const wrong = await inspect(await endpoint('w-owner'), call('foo'));
    expect(`${wrong.stdout}${wrong.stderr}`).toContain('unknown worker kind');
    const right = await inspect(await endpoint('w-owner'), call('ai'));
    expect(right.stdout).toContain('w-sam');
  });

  it('sees a worker hold no more than was granted', async () => {
    const { stdout } = await inspect(await endpoint('w-assistant'), ['--method', 'tools/list']);
    expect(stdout).toContain('"publish"');
    expect(stdout).not.toContain('"create_role"');
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ownEnvironment } from '../processes.ts';

/** What the inspector printed and ended with. */
export type InspectorResult = { code: number | null; stdout: string; stderr: string };

/**
 * Runs `inspector --cli <url> --header "Authorization: Bearer …" <args>` (npm `@modelcontextprotocol/inspector`), a real client that is
 * none of ours, e.g. with `['--method', 'tools/list']`. Its home is an empty folder, so that it neither finds nor leaves settings.
 */
export async function inspect(
  endpoint: { url: string; worker: string; token: string },
  args: string[],
): Promise<InspectorResult> {
  const home = await mkdtemp(join(tmpdir(), 'switchboard-inspector-'));
  try {
    const target = [`${endpoint.url}/workers/${endpoint.worker}/mcp`, '--transport', 'http'];
    const header = ['--header', `Authorization: Bearer ${endpoint.token}`];
    const child = spawn(process.execPath, [programPath(), '--cli', ...target, ...args, ...header], {
      cwd: home,
      env: { ...ownEnvironment(), HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code, stdout, stderr };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function programPath(): string {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json');
  return join(dirname(manifest), 'clients', 'launcher', 'build', 'index.js');
}

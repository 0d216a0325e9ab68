import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ownEnvironment } from '../processes.ts';

/** What a command of `npx switchboard` printed and ended with. */
export type CommandResult = { code: number | null; stdout: string; stderr: string };

const MAIN = join(import.meta.dirname, '..', '..', 'main.ts');

/**
 * Runs `npx switchboard <args>` for a data directory, without the launcher before it. No setting of the person who runs the tests
 * reaches it; `env` adds some. Never throws for a command that failed.
 */
export async function switchboard(
  args: string[],
  options: { dataDirectory: string; env?: Record<string, string | undefined> },
): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.dataDirectory,
    env: { ...ownEnvironment(), DATA_DIR: options.dataDirectory, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

/** The value that a command printed. Throws an Error with what it said when it failed. */
export async function switchboardValue(...given: Parameters<typeof switchboard>): Promise<string> {
  const { code, stdout, stderr } = await switchboard(...given);
  if (code !== 0) throw new Error(`npx switchboard ${given[0].join(' ')} ended with code ${code}:\n${stderr}`);
  return stdout.trimEnd();
}

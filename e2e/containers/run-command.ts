import { spawn } from 'node:child_process';

/** How a command is run. */
export type CommandOptions = { cwd: string /** Gives what it printed on stderr, too. */; withErrors?: boolean };

const keptCharacters = 4000;

/**
 * Runs a command to its end and gives what it printed on stdout, trimmed. Throws an Error with the last of its output when it fails, and
 * one that names it when it is not installed.
 */
export async function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const child = spawn(program, args, { cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    said = (said + text).slice(-keptCharacters);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (options.withErrors) out += text;
    said = (said + text).slice(-keptCharacters);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(`${program} is not installed: apt-get install -y ${program}`) : error),
    );
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.slice(0, 6).join(' ')} … ended with code ${code}:\n${said}`);
  return out.trim();
}

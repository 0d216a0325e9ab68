import { once } from 'node:events';
import { SwitchboardError } from '../../errors.ts';
import { connectOrStart, startEmbeddedServer } from '../embedded/embedded-server.ts';

/**
 * A program: opens the embedded server of a data directory (argument 2) as a core or as a command of the CLI (argument 3), and
 * prints a line of JSON, `{url, started, pid}` or `{refused}`. Ends by `stop()` when its standard input ends; until then it can be
 * killed, which a test's own process cannot. Its log goes to stderr.
 */
async function main([dataDirectory = '', holder = 'core']: string[]): Promise<void> {
  const write = (fields: unknown, message?: unknown) => console.error(message, fields);
  const log = { info: write, warn: write, error: write };
  const open = holder === 'core' ? startEmbeddedServer : connectOrStart;
  const inputEnded = once(process.stdin.resume(), 'end');
  try {
    const server = await open({ dataDirectory, log });
    process.stdout.write(`${JSON.stringify({ url: server.url, started: server.started, pid: server.pid })}\n`);
    await inputEnded;
    await server.stop();
  } catch (error) {
    const refused = error instanceof SwitchboardError ? error.message : String(error);
    process.stdout.write(`${JSON.stringify({ refused })}\n`);
    process.exitCode = 1;
  }
}

await main(process.argv.slice(2));

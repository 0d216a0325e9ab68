import { parseArgs } from 'node:util';
import { InvalidInputError, SwitchboardError } from '../../core/errors.ts';
import { findCore } from './client/find-core.ts';
import { interactiveChat } from './client/interactive-chat.ts';
import { pipedChat } from './client/piped-chat.ts';
import { styleFor } from './client/style.ts';

/** `npm run chat`: talk to the agents of a core from a terminal, or from a script. */

const usage = `npm run chat                      talk in a new thread
npm run chat -- --thread <id>     go on in a thread
npm run chat -- --stream <id>     talk in another stream than s-general
echo 'a question' | npx switchboard chat

SWITCHBOARD_URL and SWITCHBOARD_TOKEN reach a core elsewhere, as somebody else.
`;

async function main(): Promise<number> {
  const values = readArguments();
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const { stdin, stdout, stderr } = process;
  const core = await findCore({ environment: process.env, directory: process.cwd() });
  const place = { stream: values.stream, thread: values.thread };
  if (stdin.isTTY && stdout.isTTY && process.env.TERM !== 'dumb')
    return await interactiveChat(core, place, { input: stdin, output: stdout, style: styleFor(process.env) });

  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => (interrupted.signal.aborted ? process.exit(130) : interrupted.abort()));
  return await pipedChat(core.connection, place, { input: stdin, output: stdout, notes: stderr }, interrupted.signal);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: { thread: { type: 'string' }, stream: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    return values;
  } catch (error) {
    throw new InvalidInputError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

/** Whoever reads our replies has gone: there is nobody left to talk for. */
process.stdout.on('error', () => process.exit(0));

try {
  process.exit(await main());
} catch (error) {
  // What a person can mend is one clear sentence; anything else is a defect and shows where it happened.
  process.stderr.write(
    `switchboard: ${error instanceof SwitchboardError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
}

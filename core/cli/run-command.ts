import { resolve } from 'node:path';
import type { coreSettings } from '../config/core-settings.ts';
import { readBootstrapSettings } from '../config/read-settings.ts';
import { readSources } from '../config/read-sources.ts';
import type { Settings, SettingsValues } from '../config/setting.ts';
import { InvalidInputError } from '../errors.ts';
import { createLog } from '../log/log.ts';
import { seed } from '../organisation/seed.ts';
import { loadSecretKey } from '../secrets/load-secret-key.ts';
import { openDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import { reachDatabase } from '../store/reach-database.ts';
import { type Command, type CommandContext, commands } from './commands.ts';

/**
 * `npx switchboard <command> …`, with the core up or down. Prints only the value on stdout. Gives the exit code.
 *
 * @throws SwitchboardError in one sentence for whatever a person can mend.
 */
export async function runCommand(
  settings: Settings & typeof coreSettings,
  name: string,
  args: string[],
): Promise<number> {
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(help());
    return 0;
  }
  const command = commands.find((known) => known.name === name);
  if (!command) {
    process.stderr.write(`switchboard: unknown command "${name}"\n\n${help()}`);
    return 1;
  }
  const value = await withContext(settings, (context) => run(command, context, args));
  if (value !== '') process.stdout.write(`${value}\n`);
  return 0;
}

async function run(command: Command, context: CommandContext, args: string[]): Promise<string> {
  try {
    return await command.run(context, args);
  } catch (error) {
    if (error instanceof InvalidInputError && error.code === 'usage')
      throw new InvalidInputError(`${error.message}\nusage: npx switchboard ${command.usage}`, 'usage');
    throw error;
  }
}

async function withContext<T>(
  settings: Settings & typeof coreSettings,
  work: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const sources = readSources({ environment: process.env, directory: process.cwd() });
  const boot = readBootstrapSettings(settings, sources);
  const { DATA_DIR, DATABASE_URL, SECRET_KEY } = boot.values as Pick<
    SettingsValues<typeof coreSettings>,
    'DATA_DIR' | 'DATABASE_URL' | 'SECRET_KEY'
  >;
  const dataDirectory = resolve(DATA_DIR);
  const log = createLog({ level: 'error' });
  const secretKey = await loadSecretKey({ DATABASE_URL, SECRET_KEY, DATA_DIR: dataDirectory });
  const reached = await reachDatabase({ databaseUrl: DATABASE_URL, dataDirectory, as: 'command', log });
  try {
    await migrate(reached.url);
    const database = await openDatabase(reached.url, { connections: 2 });
    try {
      await seed(database);
      return await work({ database, secretKey, settings, sources });
    } finally {
      await database.close();
    }
  } finally {
    await reached.stop();
  }
}

function help(): string {
  const entries: [string, string][] = [
    ['npm start', 'start it'],
    ['npm run chat', 'talk to it in this terminal'],
    ['npm run host', 'run desktops on this machine for a core elsewhere'],
    ['npx switchboard host encode', 'encode the pictures of desktop hosts that have no video encoder'],
    ['npx switchboard host doctor', 'show what this machine can do for desktops, and why not'],
    ...commands.map((command): [string, string] => [`npx switchboard ${command.usage}`, command.description]),
  ];
  const width = Math.max(...entries.map(([usage]) => usage.length));
  const lines = entries.map(([usage, description]) => `  ${usage.padEnd(width)}  ${description}`);
  return `Switchboard: people manage AI agents from the places where they already talk.\n\n${lines.join('\n')}\n`;
}

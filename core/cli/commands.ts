import { checkStorable, declarationOf, readSettings } from '../config/read-settings.ts';
import type { Sources } from '../config/read-sources.ts';
import type { Settings } from '../config/setting.ts';
import { formatConfiguration, settingsMarkdown, showSetting } from '../config/show-settings.ts';
import { listStored, setStored, unsetStored } from '../config/stored-settings.ts';
import { InvalidInputError } from '../errors.ts';
import { makeToken } from '../mcp/tokens.ts';
import { makePairingCode } from '../organisation/pairing.ts';
import { defaultOrganisation } from '../organisation/seed.ts';
import type { SecretKey } from '../secrets/secret-key.ts';
import type { Database } from '../store/database.ts';
import type { WorkerId } from '../store/ids.ts';

/** What a command works with. */
export interface CommandContext {
  database: Database;
  secretKey: SecretKey;
  settings: Settings;
  sources: Sources;
}

/** One command of `npx switchboard`. `run` gives the value to print, '' for nothing. */
export interface Command {
  name: string;
  usage: string;
  description: string;
  run(context: CommandContext, args: readonly string[]): Promise<string>;
}

function usage(message: string): InvalidInputError {
  return new InvalidInputError(message, 'usage');
}

const token: Command = {
  name: 'token',
  usage: 'token <worker>',
  description: 'print a bearer token for the MCP endpoint of a worker',
  async run(context, [worker, ...rest]) {
    if (!worker || rest.length > 0) throw usage('name one worker, such as w-owner');
    return await makeToken(context.database, context.secretKey, defaultOrganisation, worker as WorkerId);
  },
};

const pair: Command = {
  name: 'pair',
  usage: 'pair [worker]',
  description: 'print a one-time code that links an address or account to a worker (w-owner)',
  async run(context, [worker = 'w-owner', ...rest]) {
    if (rest.length > 0) throw usage('name one worker, or none for w-owner');
    return await makePairingCode(context.database, defaultOrganisation, worker as WorkerId);
  },
};

const config: Command = {
  name: 'config',
  usage: 'config [get KEY | set KEY VALUE | unset KEY | page]',
  description: 'show or change the configuration; a change counts from the next start',
  async run(context, [verb, key, ...words]) {
    const store = { database: context.database, organisation: defaultOrganisation, secretKey: context.secretKey };
    const configuration = () => readSettings(context.settings, context.sources, () => listStored(store));
    switch (verb) {
      case undefined:
        return formatConfiguration(context.settings, await configuration());
      case 'get':
        if (!key || words.length > 0) throw usage('name one key');
        declarationOf(context.settings, key);
        return showSetting(context.settings, await configuration(), key);
      case 'set': {
        const value = words.join(' ');
        if (!key || value === '') throw usage('name a key and its value');
        checkStorable(context.settings, key, value);
        await setStored(store, key, value.trim());
        return '';
      }
      case 'unset':
        if (!key || words.length > 0) throw usage('name one key');
        declarationOf(context.settings, key);
        await unsetStored(store, key);
        return '';
      case 'page':
        return settingsMarkdown(context.settings).trimEnd();
      default:
        throw usage(`unknown verb "${verb}" (valid: get, set, unset, page)`);
    }
  },
};

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [token, pair, config];

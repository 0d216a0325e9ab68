import { resolve } from 'node:path';
import { coreSettings, publicUrlFor } from '../../../core/config/core-settings.ts';
import { isConfigured, readBootstrapSettings, readSettings } from '../../../core/config/read-settings.ts';
import { readSources, type Sources } from '../../../core/config/read-sources.ts';
import type { SettingsValues } from '../../../core/config/setting.ts';
import { baseUrl } from '../../../core/config/setting-types.ts';
import { ConfigurationError } from '../../../core/errors.ts';
import { loadSecretKey } from '../../../core/secrets/load-secret-key.ts';
import { makeOwnerTicket } from '../owner-ticket.ts';
import { type Completions, completions } from '../wire.ts';
import { type Connection, CoreAway, connectTo, Refused } from './connection.ts';
import { hasKey, readStoredSettings } from './stored-settings.ts';

/** A core that answers, and what it told of itself. */
export interface FoundCore {
  connection: Connection;
  completions: Completions;
}

/**
 * Finds the core: at SWITCHBOARD_URL with SWITCHBOARD_TOKEN when these are set, else where this folder's configuration says that it
 * listens, as the owner by this deployment's key.
 *
 * @throws ConfigurationError in one sentence when no core answers there, or it does not let us in
 */
export async function findCore(from: { environment: NodeJS.ProcessEnv; directory: string }): Promise<FoundCore> {
  const { SWITCHBOARD_URL: givenUrl, SWITCHBOARD_TOKEN: givenToken } = from.environment;
  const sources = ownKeysOnly(readSources(from));
  const url = givenUrl ? await answeringUrl(urlOf(givenUrl)) : await findUrl(sources);
  const connection = connectTo(url, givenToken ? () => givenToken : await ticketMaker(sources));
  try {
    return { connection, completions: await connection.get('/terminal/completions', completions) };
  } catch (error) {
    if (error instanceof CoreAway) throw noCore(url, error);
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401 && !givenToken)
      throw new ConfigurationError(
        `the core at ${url} runs with another SECRET_KEY or DATA_DIR: run this with the same, or set SWITCHBOARD_TOKEN to what "npx switchboard token w-owner" prints there`,
      );
    if (error.status === 404) throw new ConfigurationError(`what answers at ${url} is not a Switchboard core`);
    throw new ConfigurationError(`the core at ${url} says: ${error.message}`);
  }
}

/** `.env` holds other folders' keys too, which are checked by those who read them. */
function ownKeysOnly(sources: Sources): Sources {
  const own = Object.entries(sources.dotenv).filter(([key]) => Object.hasOwn(coreSettings, key));
  return { ...sources, dotenv: Object.fromEntries(own) };
}

/** Where the environment and `.env` say; else, when nothing answers there, where `npx switchboard config set` has moved it. */
async function findUrl(sources: Sources): Promise<string> {
  const configuration = await readSettings(coreSettings, sources, async () => new Map());
  const url = whereItListens(configuration.values);
  try {
    return await answeringUrl(url);
  } catch (error) {
    if (isConfigured(configuration, 'PORT')) throw error;
    const stored = await readStoredSettings(configuration.values);
    const moved = whereItListens((await readSettings(coreSettings, sources, async () => stored)).values);
    if (moved === url) throw error;
    return await answeringUrl(moved);
  }
}

function whereItListens({ HOST, PORT, PUBLIC_URL }: SettingsValues<typeof coreSettings>): string {
  const local = publicUrlFor(HOST, PORT);
  // A core that listens on one outward address only knows that address by PUBLIC_URL's name.
  return local.startsWith('http://localhost:') ? local : PUBLIC_URL;
}

function urlOf(given: string): string {
  const parsed = baseUrl.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(`SWITCHBOARD_URL is ${JSON.stringify(given)}: ${parsed.error.issues[0]?.message}`);
}

/** Asked before any key is looked for: without a core there is nothing to be let into. */
async function answeringUrl(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/healthz`, { redirect: 'manual', signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
    return url;
  } catch (cause) {
    throw noCore(url, cause);
  }
}

function noCore(url: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(`no core answers at ${url}: start it with "npm start"`, undefined, { cause });
}

async function ticketMaker(sources: Sources): Promise<() => string> {
  const { values } = readBootstrapSettings(coreSettings, sources);
  if (!(await hasKey(values)))
    throw new ConfigurationError(
      `there is no key in ${resolve(values.DATA_DIR)}: run this with the core's DATA_DIR, or set SWITCHBOARD_TOKEN to what "npx switchboard token w-owner" prints there`,
    );
  const secretKey = await loadSecretKey({ ...values, DATA_DIR: resolve(values.DATA_DIR) });
  return () => makeOwnerTicket(secretKey);
}

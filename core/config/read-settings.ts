import { ConfigurationError } from '../errors.ts';
import { nearestKey } from './nearest-key.ts';
import type { Sources } from './read-sources.ts';
import { isDerived, type Setting, type Settings, type SettingsValues } from './setting.ts';

/** Where a value came from; `default` also when there is none. */
export type Origin = 'environment' | '.env' | 'stored' | 'default';

/** Every key's value and where it came from. Holds secrets: show it only through {@link formatConfiguration}. */
export type Configuration<S extends Settings> = {
  readonly values: SettingsValues<S>;
  readonly origins: { readonly [K in keyof S]: Origin };
  /** The values as they were written, for the keys that somebody set. */
  readonly written: ReadonlyMap<string, string>;
  /** Stored keys that this version does not know, set by another one: left alone, worth a warning. */
  readonly unknownStored: readonly string[];
};

/** The declarations of the keys that are needed before the database is reached. */
export type EnvironmentOnly<S extends Settings> = {
  readonly [K in keyof S as S[K] extends { readonly environmentOnly: true } ? K : never]: S[K];
};

/**
 * The first of two readings: environment and `.env` only. Gives the keys that the database needs, and already refuses whatever
 * is wrong there in any key, so that a typing error costs no database start.
 *
 * @throws ConfigurationError with one line per problem, the first of which is enough to act on
 */
export function readBootstrapSettings<S extends Settings>(
  settings: S,
  sources: Sources,
): Configuration<EnvironmentOnly<S>> {
  return resolve(settings, sources, new Map()) as unknown as Configuration<EnvironmentOnly<S>>;
}

/**
 * The second reading, once the database is there: the environment, else `.env`, else what was stored, else the default.
 *
 * @param stored the settings set by `npx switchboard config set`, decrypted
 * @throws ConfigurationError with one line per problem, the first of which is enough to act on
 */
export async function readSettings<S extends Settings>(
  settings: S,
  sources: Sources,
  stored: () => Promise<ReadonlyMap<string, string>>,
): Promise<Configuration<S>> {
  return resolve(settings, sources, await stored());
}

/** Whether somebody set this key; a default that does not work out may be given up with a warning, a configured value not. */
export function isConfigured<S extends Settings>(configuration: Configuration<S>, key: keyof S): boolean {
  return configuration.origins[key] !== 'default';
}

/**
 * Whether `npx switchboard config set` may store this text under this key.
 *
 * @throws ConfigurationError when the key is unknown or read from the environment only, or the text is malformed
 */
export function checkStorable(settings: Settings, key: string, text: string): void {
  const setting = declarationOf(settings, key);
  if (setting.environmentOnly) {
    throw new ConfigurationError(
      `${key} is needed before the database is reached: set it in the environment or in .env`,
    );
  }
  if (text.trim() === '')
    throw new ConfigurationError(`${key} is empty: to forget it, run "npx switchboard config unset ${key}"`);
  const parsed = parse(key, setting, text.trim(), undefined);
  if ('problem' in parsed) throw new ConfigurationError(parsed.problem);
}

/**
 * The declaration of a key that a person named.
 *
 * @throws ConfigurationError naming the nearest known key
 */
export function declarationOf(settings: Settings, key: string): Setting {
  const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
  if (setting === undefined) throw new ConfigurationError(unknownKey(settings, key));
  return setting;
}

function resolve<S extends Settings>(
  settings: S,
  sources: Sources,
  stored: ReadonlyMap<string, string>,
): Configuration<S> {
  const problems = Object.keys(sources.dotenv)
    .filter((key) => !Object.hasOwn(settings, key))
    .map((key) => `.env: ${unknownKey(settings, key)}`);
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  const written = new Map<string, string>();

  for (const [key, setting] of Object.entries(settings)) {
    const found = find(key, setting, sources, stored);
    origins[key] = found?.origin ?? 'default';
    if (found === undefined) {
      values[key] = isDerived(setting.default) ? undefined : setting.default;
      continue;
    }
    written.set(key, found.text);
    const parsed = parse(key, setting, found.text, found.origin);
    if ('problem' in parsed) problems.push(parsed.problem);
    else values[key] = parsed.value;
  }
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'));

  for (const [key, setting] of Object.entries(settings)) {
    if (origins[key] === 'default' && isDerived(setting.default)) values[key] = setting.default.value(values);
  }
  return {
    values: values as SettingsValues<S>,
    origins: origins as Configuration<S>['origins'],
    written,
    unknownStored: [...stored.keys()].filter((key) => !Object.hasOwn(settings, key)),
  };
}

type Found = { readonly text: string; readonly origin: Exclude<Origin, 'default'> };

function find(key: string, setting: Setting, sources: Sources, stored: ReadonlyMap<string, string>): Found | undefined {
  const candidates: [string | undefined, Found['origin']][] = [
    [sources.environment[key], 'environment'],
    [sources.dotenv[key], '.env'],
    [setting.environmentOnly ? undefined : stored.get(key), 'stored'],
  ];
  for (const [text, origin] of candidates) {
    // Empty is not set: compose files and .env templates pass every key on, filled or not.
    if (text !== undefined && text.trim() !== '') return { text: text.trim(), origin };
  }
  return undefined;
}

const PLACE = {
  environment: 'from the environment',
  '.env': 'from .env',
  stored: 'set by "npx switchboard config set"',
};

function parse(
  key: string,
  setting: Setting,
  text: string,
  origin: Found['origin'] | undefined,
): { value: unknown } | { problem: string } {
  const parsed = setting.type.safeParse(text);
  if (parsed.success) return { value: parsed.data };
  const shown = setting.secret ? 'malformed' : JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  const place = origin === undefined ? '' : ` (${PLACE[origin]})`;
  return { problem: `${key} is ${shown}${place}: ${parsed.error.issues[0]?.message}` };
}

function unknownKey(settings: Settings, key: string): string {
  const nearest = nearestKey(key, Object.keys(settings));
  return `unknown setting ${JSON.stringify(key)}; the nearest known one is ${nearest}, and docs/configuration.md lists all`;
}

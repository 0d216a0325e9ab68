import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { type HostSettings, hostSettings, sharedSettings } from '../settings.ts';

type Texts = Readonly<Record<string, string | undefined>>;

/** What a person has to mend before the host can start: one sentence a problem. */
export class HostConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HostConfigurationError';
  }
}

/**
 * Reads the host's keys: from what the core that embeds it has handed over, else the environment, else `.env`. An empty value counts as
 * not set. Other keys are not its business: core and host share one `.env`.
 *
 * @throws HostConfigurationError with one line per problem
 */
export function readHostSettings(from: { handed?: Texts; environment: Texts; directory: string }): HostSettings {
  const sources = [from.handed ?? {}, from.environment, readDotenv(join(from.directory, '.env'))];
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  const declared: [string, { type: z.ZodType; default?: unknown; secret?: true }][] = [
    ...Object.entries(sharedSettings),
    ...Object.entries(hostSettings),
  ];
  for (const [key, setting] of declared) {
    const text = sources.map((source) => source[key]?.trim()).find((value) => value !== undefined && value !== '');
    if (text === undefined) {
      values[key] = isDerived(setting.default) ? setting.default.value(values) : setting.default;
      continue;
    }
    const parsed = setting.type.safeParse(text);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(`${key} is ${setting.secret ? 'malformed' : JSON.stringify(text)}: ${sayWhy(parsed.error)}`);
  }
  if (problems.length > 0) throw new HostConfigurationError(problems.join('\n'));
  return values as HostSettings;
}

function readDotenv(path: string): Texts {
  try {
    return parseEnv(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new HostConfigurationError(`cannot read ${path} (${code}): make it a file that this user may read`);
  }
}

function isDerived(value: unknown): value is { value: (values: Readonly<Record<string, unknown>>) => unknown } {
  return typeof value === 'object' && value !== null && 'derivedFrom' in value;
}

function sayWhy(error: z.ZodError): string {
  return error.issues[0]?.message ?? 'it is malformed';
}

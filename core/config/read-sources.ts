import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigurationError } from '../errors.ts';

/** What was written where a person configures a process, as text. */
export type Sources = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly dotenv: Readonly<Record<string, string | undefined>>;
};

/**
 * Reads the environment and the `.env` file of a folder. A missing file is an empty one.
 *
 * @throws ConfigurationError when `.env` cannot be read or has a line that is neither `KEY=value`, a comment nor blank: Node's
 *   parser would drop such a line silently.
 */
export function readSources(from: { environment: NodeJS.ProcessEnv; directory: string }): Sources {
  const content = readDotenv(join(from.directory, '.env'));
  const stray = strayLine(content);
  if (stray !== undefined)
    throw new ConfigurationError(`.env line ${stray} is not KEY=value: mend it or begin it with #`);
  return { environment: from.environment, dotenv: parseEnv(content) };
}

function readDotenv(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw new ConfigurationError(`cannot read ${path} (${code}): make it a file that this user may read`, undefined, {
      cause,
    });
  }
}

/** The number of the first line without a key, whose text is not shown; a quoted value may run over several lines. */
function strayLine(content: string): number | undefined {
  let openQuote: string | undefined;
  for (const [index, line] of content.split('\n').entries()) {
    if (openQuote !== undefined) {
      if (line.includes(openQuote)) openQuote = undefined;
    } else if (!/^\s*(#|$)/.test(line)) {
      const value = /^\s*(?:export\s+)?[^\s=]+\s*=\s*(.*)/.exec(line)?.[1];
      if (value === undefined) return index + 1;
      const quote = /^["'`]/.exec(value)?.[0];
      if (quote !== undefined && !value.slice(1).includes(quote)) openQuote = quote;
    }
  }
  return undefined;
}

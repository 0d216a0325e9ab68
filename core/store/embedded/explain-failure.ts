import { ConfigurationError } from '../../errors.ts';

const own = 'set DATABASE_URL to a PostgreSQL of your own';

/** Turns a system error about the data directory into one sentence that says what to do. */
export function explainFolderFailure(dataDirectory: string, cause: unknown): ConfigurationError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(dataDirectory, cause);
  return new ConfigurationError(
    `data directory ${dataDirectory} cannot be used (${code}): give it, with all that is in it, to the account that runs ` +
      `switchboard, or set DATA_DIR to a folder that it may write to.`,
    'data_directory',
    { cause },
  );
}

/**
 * Turns what one of PostgreSQL's programs said before it gave up into one sentence that says what to do.
 *
 * @param output its log or standard error
 * @param cause the error of running it, if it could not be run at all
 */
export function explainServerFailure(dataDirectory: string, output: string, cause?: unknown): ConfigurationError {
  const said = tellingLine(output) || (cause as NodeJS.ErrnoException | undefined)?.code || 'it said nothing';
  const is = (pattern: RegExp) => pattern.test(output);
  if (is(/No space left on device|Disk quota exceeded|could not extend file|wrote only \d+ of/))
    return diskFull(dataDirectory, cause);
  if (
    is(/Permission denied|Operation not permitted|Read-only file system|wrong ownership|could not change permissions/)
  )
    return explainFolderFailure(dataDirectory, Object.assign(new Error(output, { cause }), { code: said }));
  if (is(/incompatible with server|was initialized by PostgreSQL version/))
    return new ConfigurationError(
      `${dataDirectory} was made by another version of PostgreSQL: restore a backup into a new DATA_DIR, or ${own}.`,
      'embedded_version',
      { cause },
    );
  return new ConfigurationError(
    `the embedded PostgreSQL does not start (${said}): see postgresql.log in ${dataDirectory}, or ${own}.`,
    'embedded_failed',
    { cause },
  );
}

/** The programs cannot be run here at all: a library is missing, or the account may not reach them. */
export function explainUnusableBinaries(directory: string, output: string, cause: unknown): ConfigurationError {
  const { code } = cause as NodeJS.ErrnoException;
  const said = tellingLine(output) || code || String(cause);
  const advice: Record<string, string> = {
    EACCES: 'move the installation out of folders that only root may enter, start switchboard as an ordinary user',
    EPERM: 'this root may not run it under another account: start switchboard as an ordinary user',
  };
  return new ConfigurationError(
    `the embedded PostgreSQL cannot be run from ${directory} (${said}): ${advice[code ?? ''] ?? 'run `npm install` again'}, or ${own}.`,
    'embedded_unusable',
    { cause },
  );
}

function diskFull(dataDirectory: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(
    `the disk that holds ${dataDirectory} is full: free some space and start again.`,
    'disk_full',
    { cause },
  );
}

/** The first line that tells of an error, else the last one, without time and level. */
function tellingLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((entry) => /FATAL|PANIC|error:|could not/.test(entry)) ?? lines.at(-1) ?? '';
  return line.replace(/^.*?(?:FATAL|PANIC|error|LOG):\s*/, '').trim();
}

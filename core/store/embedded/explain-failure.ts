import { ConfigurationError } from '../../errors.ts';

/**
 * Turns what one of PostgreSQL's programs said before it gave up into one sentence that says what to do.
 *
 * @param output its log or standard error
 */
export function explainFailure(dataDirectory: string, output: string, cause?: unknown): ConfigurationError {
  const own = 'or set DATABASE_URL to a PostgreSQL of your own.';
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const sentence = (text: string, kind: string) => new ConfigurationError(text, kind, { cause });
  if (/No space left on device/.test(output) || code === 'ENOSPC' || code === 'EDQUOT')
    return sentence(`the disk that holds ${dataDirectory} is full: free some space and start again.`, 'disk_full');
  if (code === 'EROFS' || /Read-only file system/.test(output))
    return sentence(
      `${dataDirectory} is on a read-only file system: set DATA_DIR to a folder that can be written.`,
      'data_directory',
    );
  if (
    /error while loading shared libraries|not found \(required by|Exec format error/.test(output) ||
    code === 'ENOENT'
  )
    return sentence(
      `the embedded PostgreSQL does not run on this system (${firstLine(output) || code}): run \`npm ci\` again, ${own}`,
      'embedded_unusable',
    );
  if (code === 'EACCES' || code === 'EPERM' || /Permission denied|has wrong ownership/.test(output))
    return sentence(
      `the embedded database cannot use ${dataDirectory} (${firstLine(output) || code}): give the folder and what is in it ` +
        `to the account that runs switchboard, or set DATA_DIR to another folder, ${own}`,
      'data_directory',
    );
  if (/database files are incompatible with server|was initialized by PostgreSQL version/.test(output))
    return sentence(
      `${dataDirectory} was made by another version of PostgreSQL: restore a backup into a new DATA_DIR, ${own}`,
      'embedded_version',
    );
  return sentence(
    `the embedded PostgreSQL did not start (${firstLine(output) || 'it said nothing'}): see postgresql.log in ${dataDirectory}, ${own}`,
    'embedded_failed',
  );
}

/** The line that tells most: the first FATAL, PANIC or error, else the last one. */
function firstLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((entry) => /FATAL|PANIC|error:|could not/.test(entry)) ?? lines.at(-1) ?? '';
  return line.replace(/^.*?(?:FATAL|PANIC|error):\s*/, '').trim();
}

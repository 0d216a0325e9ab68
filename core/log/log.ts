import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { maskSecrets } from '../secrets/mask-secrets.ts';
import { describeError } from './describe-error.ts';
import { readableLines } from './readable-lines.ts';

/** The levels of LOG_LEVEL, from everything to nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The log of one process or one part of it: a pino logger. An error goes in as `{ err }`. */
export type Log = Logger;

/** The ids that a line may carry, under the names that people search for (design §1). */
export type LogIds = {
  readonly organisation?: string;
  readonly stream?: string;
  readonly thread?: string;
  readonly event?: string;
  readonly worker?: string;
  readonly activation?: string;
  readonly delivery?: string;
  readonly binding?: string;
  readonly request?: string;
};

/** Fields whose whole value is hidden wherever they stand, down to two levels deep. */
const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  'cookie',
  'password',
  'pass',
  'secret',
  'token',
  'apiKey',
  'api_key',
  'accessToken',
  'access_token',
  'clientSecret',
  'client_secret',
];

/**
 * The log of this process. It goes to stderr, because stdout belongs to what a command was asked for: lines of JSON, or short
 * readable ones when stderr is a terminal. Secret fields are hidden, and passwords of URLs and Authorization values are masked
 * in every line, messages and stack traces included.
 *
 * A child made before a change of `level` keeps its old level (pino's rule): set it before handing the log out.
 */
export function createLog(options: { level: LogLevel; to?: DestinationStream; readable?: boolean }): Log {
  const to = options.to ?? destination({ fd: 2, sync: true });
  const readable = options.readable ?? (options.to === undefined && process.stderr.isTTY === true);
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError, cause: describeError },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '***' },
      hooks: { streamWrite: maskSecrets },
    },
    readable ? readableLines(to) : to,
  );
}

/** A log whose lines all carry these ids. */
export function logWith(log: Log, ids: LogIds): Log {
  return log.child(ids);
}

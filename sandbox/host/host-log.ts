import { destination, type Logger, pino, stdTimeFunctions } from 'pino';

/** The log of the host process: a pino logger, with the same fields as the core's. Tokens, tickets and X cookies never go in. */
export type HostLog = Logger;

/** Lines of JSON on stderr, since stdout belongs to what a command was asked for. */
export function createHostLog(level: string): HostLog {
  return pino(
    {
      level,
      base: { pid: process.pid, part: 'host' },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: 2, sync: true }),
  );
}

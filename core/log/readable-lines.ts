import type { DestinationStream } from 'pino';

/** Fields that are shown in a place of their own, or only matter to machines. */
const NOT_FIELDS = new Set(['level', 'time', 'pid', 'msg', 'err']);

/**
 * Turns pino's lines of JSON into short ones for a person at a terminal: `12:30:01 warn  the message  event=e-1`, an error's
 * stack below it. What is not JSON passes unchanged.
 */
export function readableLines(to: DestinationStream): DestinationStream {
  return {
    write(line) {
      to.write(readable(line));
    },
  };
}

function readable(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  const at = new Date(String(entry.time)).toTimeString().slice(0, 8);
  const fields = Object.entries(entry)
    .filter(([name]) => !NOT_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const words = [at, String(entry.level).padEnd(5), entry.msg, fields.join(' ')].filter(
    (word) => word !== undefined && word !== '',
  );
  return `${words.join(' ')}\n${errorLines(entry.err)}`;
}

function errorLines(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { stack, message, cause } = err as { stack?: string; message?: string; cause?: unknown };
  return `  ${(stack ?? message ?? '').replaceAll('\n', '\n  ')}\n${cause === undefined ? '' : `  because of\n${errorLines(cause)}`}`;
}

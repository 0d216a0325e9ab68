import { SlackApiError } from './api-error.ts';

/** The arguments of a call: names and texts, or parsed values where the body was JSON. */
export type Arguments = Record<string, unknown>;

/**
 * Reads a body as Slack does: a form whose values are texts (lists and objects as JSON in them), or JSON.
 *
 * @throws SlackApiError
 */
export function readArguments(contentType: string | undefined, body: string): Arguments {
  const type = contentType?.split(';')[0]?.trim();
  if (body === '') return {};
  if (type === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(body));
  if (type !== 'application/json') throw new SlackApiError('invalid_form_data');
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Arguments;
  } catch {
    // told below
  }
  throw new SlackApiError('invalid_json');
}

/** A text argument; a wrong type is refused. */
export function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new SlackApiError('invalid_arguments', {
    response_metadata: { messages: [`[ERROR] ${name} must be a string`] },
  });
}

/** A list or object argument, which a form carries as JSON. `code`: what Slack calls one that cannot be read. */
export function jsonOf(args: Arguments, name: string, code: string): unknown {
  const value = args[name];
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new SlackApiError(code);
  }
}

export function numberOf(args: Arguments, name: string): number | undefined {
  const value = args[name];
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isFinite(number)) throw new SlackApiError('invalid_arguments');
  return number;
}

export function flagOf(args: Arguments, name: string): boolean {
  return args[name] === true || args[name] === 'true' || args[name] === '1';
}

/** Every method takes these; Bolt's client sends the team with each call. */
const everywhere = ['token', 'team_id'];

/** Stricter than Slack, which ignores them: an argument that the method does not have is a mistake of the caller. */
export function refuseUnknown(args: Arguments, known: readonly string[]): void {
  const unknown = Object.keys(args).filter((name) => !everywhere.includes(name) && !known.includes(name));
  if (unknown.length > 0)
    throw new SlackApiError('invalid_arguments', {
      response_metadata: { messages: unknown.map((name) => `[ERROR] unknown argument: ${name}`) },
    });
}

/** What a log line says of an error. */
export type ErrorDescription = {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly status?: number;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
};

const DEEPEST_CAUSE = 4;

/**
 * An error as a log line holds it: its kind, message, code, status, stack and causes, and nothing else. Errors of HTTP clients
 * carry whole requests, with headers and bodies, in fields of their own: these are left out.
 */
export function describeError(thrown: unknown): ErrorDescription {
  return describe(thrown, 0);
}

function describe(thrown: unknown, depth: number): ErrorDescription {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: String(thrown) };
  const { code, status } = thrown as { code?: unknown; status?: unknown };
  return {
    type: thrown.name,
    message: thrown.message,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof status === 'number' && { status }),
    ...(thrown.stack !== undefined && { stack: thrown.stack }),
    ...(thrown.cause !== undefined && depth < DEEPEST_CAUSE && { cause: describe(thrown.cause, depth + 1) }),
  };
}

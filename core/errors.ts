/**
 * The errors that a caller can do something about. Each has a stable `code` (listed in docs/errors.md), the HTTP `status` it
 * becomes, and a message that says what to do. Express turns them into `application/problem+json`, MCP tools into tool
 * errors, chat into one sentence. Anything else that is thrown is a defect and reaches nobody but the log.
 */
export class SwitchboardError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.status = status;
  }
}

/** Bad input: the message names the valid values. */
export class InvalidInputError extends SwitchboardError {
  constructor(message: string, code = 'invalid_input', options?: ErrorOptions) {
    super(code, 400, message, options);
  }
}

/** Nobody has said who is asking, or said it wrongly. */
export class UnauthenticatedError extends SwitchboardError {
  constructor(message: string, code = 'unauthenticated', options?: ErrorOptions) {
    super(code, 401, message, options);
  }
}

/** The asking Worker is known and may not do this. */
export class ForbiddenError extends SwitchboardError {
  constructor(message: string, code = 'forbidden', options?: ErrorOptions) {
    super(code, 403, message, options);
  }
}

/** What was asked for does not exist, or not for the one who asks: the two are not told apart. */
export class NotFoundError extends SwitchboardError {
  constructor(message: string, code = 'not_found', options?: ErrorOptions) {
    super(code, 404, message, options);
  }
}

/** The request is fine but the state of things does not allow it now. */
export class ConflictError extends SwitchboardError {
  constructor(message: string, code = 'conflict', options?: ErrorOptions) {
    super(code, 409, message, options);
  }
}

/** It was there and is no more: asking again does not help. */
export class GoneError extends SwitchboardError {
  constructor(message: string, code = 'gone', options?: ErrorOptions) {
    super(code, 410, message, options);
  }
}

/** More than one caller may ask for in that time: the same is answered a little later. */
export class TooManyRequestsError extends SwitchboardError {
  /** Sent as `Retry-After` (RFC 9110 §10.2.3): whole seconds. */
  readonly retryAfterSeconds: number;

  constructor(
    message: string,
    code = 'too_many_requests',
    options: ErrorOptions & { retryAfterSeconds?: number } = {},
  ) {
    const { retryAfterSeconds = 1, ...rest } = options;
    super(code, 429, message, rest);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Something the core needs (the database, a model) does not answer: try again. */
export class UnavailableError extends SwitchboardError {
  constructor(message: string, code = 'unavailable', options?: ErrorOptions) {
    super(code, 503, message, options);
  }
}

/** The configuration is wrong: one clear sentence, and the process ends with exit code 1. */
export class ConfigurationError extends SwitchboardError {
  constructor(message: string, code = 'configuration', options?: ErrorOptions) {
    super(code, 500, message, options);
  }
}

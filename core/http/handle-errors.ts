import type { ErrorRequestHandler, RequestHandler } from 'express';
import { NotFoundError, SwitchboardError, TooManyRequestsError } from '../errors.ts';
import { type Log, logWith } from '../log/log.ts';
import { type Problem, sendProblem } from './problem.ts';
import { requestIdOf } from './request-id.ts';

/** Answers 404 to whatever no route took. */
export function notFound(): RequestHandler {
  return (request, _response, next) => {
    next(new NotFoundError(`there is nothing at ${request.path}`));
  };
}

/**
 * Turns what a route threw into `application/problem+json`: a {@link SwitchboardError} and a malformed request with what to do
 * about it; anything else is a defect and becomes 500 without a detail, with the id under which the log has it.
 */
export function handleErrors(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const problem = problemOf(error) ?? {
      status: 500,
      code: 'internal',
      extra: { id: requestIdOf(response) },
    };
    if (problem.status >= 500) {
      // The path alone: a query may hold what is nobody's business.
      const fields = { err: error, method: request.method, path: request.originalUrl.split('?', 1)[0] };
      logWith(log, { request: requestIdOf(response) }).error(fields, 'a request failed');
    }
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return;
    }
    if (problem.status === 401 && !response.hasHeader('WWW-Authenticate')) response.set('WWW-Authenticate', 'Bearer');
    if (error instanceof TooManyRequestsError) response.set('Retry-After', String(error.retryAfterSeconds));
    sendProblem(response, problem);
  };
}

function problemOf(error: unknown): Problem | undefined {
  if (error instanceof SwitchboardError) return { status: error.status, code: error.code, detail: error.message };
  if (!(error instanceof Error)) return undefined;
  const { status, expose } = error as { status?: unknown; expose?: unknown };
  // http-errors, as the body parsers throw them, and Express's own for a path that does not decode. The status of other
  // libraries' errors is what somebody answered *us*.
  const theCallersFault = expose === true || error instanceof URIError;
  if (!theCallersFault || typeof status !== 'number' || status < 400 || status > 499) return undefined;
  return { status, code: CODES[status] ?? 'invalid_input', detail: error.message };
}

const CODES: Readonly<Record<number, string>> = { 413: 'too_large', 415: 'unsupported_media_type' };

import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

/** Gives each request an id of our own, in the header `X-Request-Id` of its answer: what a person quotes from an error. */
export function requestIds(): RequestHandler {
  return (_request, response, next) => {
    response.set('X-Request-Id', randomUUID());
    next();
  };
}

/** The id of the request that this response answers. */
export function requestIdOf(response: Response): string {
  return String(response.get('X-Request-Id'));
}

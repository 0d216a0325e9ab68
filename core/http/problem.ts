import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';

/** What an `application/problem+json` answer says (RFC 9457). */
export type Problem = {
  readonly status: number;
  /** The stable code, listed in docs/errors.md. */
  readonly code: string;
  /** What to do, for the one who asked. */
  readonly detail?: string;
  /** Further members of this kind of problem. */
  readonly extra?: Readonly<Record<string, unknown>>;
};

/**
 * Answers with a problem. `type` is `about:blank` and `title` the status in words, as RFC 9457 §4.2.1 has it for problems that
 * are told apart by something else: here by `code`. Never cached.
 */
export function sendProblem(response: Response, problem: Problem): void {
  const { status, code, detail, extra } = problem;
  response
    .status(status)
    .set('Cache-Control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code, ...extra }));
}

/** `{ok: false, error}` with HTTP status 200: how Slack refuses. `details` stand beside the code. */
export class SlackApiError extends Error {
  readonly code: string;
  readonly details: Record<string, unknown>;

  constructor(code: string, details: Record<string, unknown> = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

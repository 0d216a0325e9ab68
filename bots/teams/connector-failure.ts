import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';

/** The Connector knows neither this message nor, perhaps, this conversation any more (404). */
export class GoneFromTeams extends PermanentFailure {
  constructor(message: string) {
    super(message);
    this.name = 'GoneFromTeams';
  }
}

/** To be asked again later, beside 429 and 5xx ("Rate limit", Teams documentation: 412, 502 and 504 are passing). */
const passing = new Set([408, 412, 429]);
/** Asking again gives the same: malformed, not in the conversation (any more), blocked, too large. */
const final = new Set([400, 403, 405, 410, 413]);

/** What an answer of the Connector other than 2xx means for what was to be sent (design rule 6). */
export function connectorFailure(status: number, retryAfter: string | null, body: string): Error {
  const said = `Teams answered ${status}${reasonIn(body)}`;
  if (passing.has(status) || status >= 500) {
    const retryAfterSeconds = secondsOf(retryAfter);
    return new OutsideUnavailable(said, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
  }
  if (status === 404) return new GoneFromTeams(said);
  return final.has(status) ? new PermanentFailure(said) : new Error(said);
}

/** The Connector's error body: `{"error": {"code": "…", "message": "…"}}`, or the two without a wrapping. */
function reasonIn(body: string): string {
  try {
    const { error, code, message } = JSON.parse(body) as Record<string, unknown>;
    const { code: innerCode, message: innerMessage } = (error ?? {}) as Record<string, unknown>;
    const parts = [innerCode ?? code, innerMessage ?? message].filter((part) => typeof part === 'string');
    return parts.length > 0 ? ` (${parts.join(': ').slice(0, 200)})` : '';
  } catch {
    return '';
  }
}

/** Retry-After (RFC 9110 §10.2.3): seconds, or a date. */
function secondsOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

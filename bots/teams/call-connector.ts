import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import { connectorFailure } from './connector-failure.ts';
import { localServiceUrls, type ServiceUrlPolicy } from './service-url.ts';

/** One request to Teams' connector. */
export interface ConnectorRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Its answer, always 2xx. */
export interface ConnectorAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Sends a request once. */
export type CallConnector = (request: ConnectorRequest) => Promise<ConnectorAnswer>;

const timeoutMs = 15_000;
const largestAnswer = 256 * 1024;

/**
 * The one way out to Teams: to allowed hosts only, no redirects, no retries (the outbox has its own), a deadline, a bounded answer.
 * It throws what design rule 6 asks for, so that the SDK above never sees a failure that it would retry by itself.
 */
export function connectorCaller(options: { mayCall: ServiceUrlPolicy; signedIn: boolean }): CallConnector {
  return async ({ url, method, headers, body }) => {
    if (!options.mayCall(url)) throw new PermanentFailure(`${URL.parse(url)?.host} is no host of Teams`);
    // Local tools take what is not signed; Teams does not.
    if (!options.signedIn && !localServiceUrls(url))
      throw new OutsideUnavailable(
        'MicrosoftAppPassword is not set: what goes to Teams waits until it is, for 24 hours',
        {
          retryAfterSeconds: 60,
        },
      );
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      response = await fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        redirect: 'manual',
        signal,
      });
      text = (await readBounded(response)).toString('utf8');
    } catch (cause) {
      throw new OutsideUnavailable(`Teams cannot be reached (${reasonOf(cause)})`, { cause });
    }
    if (!response.ok) throw connectorFailure(response.status, response.headers.get('retry-after'), text);
    return { status: response.status, headers: Object.fromEntries(response.headers), body: text };
  };
}

/** What is beyond the limit is left unread: an id stands at the front. */
async function readBounded(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    size += part.length;
    if (size > largestAnswer) break;
  }
  return Buffer.concat(parts);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  return inner instanceof Error && 'code' in inner ? String(inner.code) : cause.message;
}

import type { z } from 'zod';

/** The core is not there just now: it, or a proxy before it, may be in a moment. */
export class CoreAway extends Error {
  override readonly name = 'CoreAway';
}

/** The core says no, and will say so again. The message is its own. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One core, as the client reaches it. */
export interface Connection {
  /** Its base URL, without a slash at its end. */
  readonly url: string;
  /** Fetches JSON. Throws {@link CoreAway} or {@link Refused}. */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>;
  /** Sends JSON and gets JSON. Throws {@link CoreAway} or {@link Refused}. */
  post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<z.output<Schema>>;
  /** The body of an answer that goes on. Throws {@link CoreAway} or {@link Refused}; reading it may throw anything. */
  stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

const answerMs = 30_000;

/** @param token made afresh for each request: it may be short-lived */
export function connectTo(url: string, token: () => string): Connection {
  async function ask(method: string, path: string, body: object | undefined, signal: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token()}`,
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        // the token is for this address and for no other
        redirect: 'manual',
        signal,
      });
    } catch (cause) {
      throw new CoreAway(`no core answers at ${url}`, { cause });
    }
    if (response.ok) return response;
    const detail = await detailOf(response);
    if (response.status >= 500 || response.status === 429)
      throw new CoreAway(detail ?? `${url} answers ${response.status}`);
    if (response.status >= 300 && response.status < 400)
      throw new Refused(
        response.status,
        `${url} redirects to ${response.headers.get('location') ?? 'somewhere'}, which is not followed`,
      );
    throw new Refused(response.status, detail ?? notACore(url));
  }

  async function json<Schema extends z.ZodType>(response: Response, schema: Schema): Promise<z.output<Schema>> {
    let content: unknown;
    try {
      content = await response.json();
    } catch (cause) {
      if (cause instanceof SyntaxError) throw new Refused(response.status, notACore(url));
      throw new CoreAway(`${url} broke off its answer`, { cause });
    }
    const parsed = schema.safeParse(content);
    if (!parsed.success) throw new Refused(response.status, notACore(url));
    return parsed.data;
  }

  return {
    url,
    async get(path, schema) {
      return await json(await ask('GET', path, undefined, AbortSignal.timeout(answerMs)), schema);
    },
    async post(path, body, schema) {
      return await json(await ask('POST', path, body, AbortSignal.timeout(answerMs)), schema);
    },
    async stream(path, signal) {
      const { body } = await ask('GET', path, undefined, signal);
      if (!body) throw new CoreAway(`${url} sends nothing`);
      return body;
    },
  };
}

function notACore(url: string): string {
  return `what answers at ${url} is not a Switchboard core, or one of another version`;
}

async function detailOf(response: Response): Promise<string | undefined> {
  try {
    const content: unknown = await response.json();
    const detail = typeof content === 'object' && content !== null && 'detail' in content ? content.detail : undefined;
    return typeof detail === 'string' ? detail : undefined;
  } catch {
    return undefined;
  }
}

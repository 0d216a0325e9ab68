import { APICallError } from 'ai';
import { OutsideUnavailable, PermanentFailure } from '../../dispatch/failure.ts';
import type { ModelEndpoint } from './model-endpoint.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** Network errors after which nobody has answered, or has stopped doing so: Node's own and undici's codes. */
const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** So much of what an endpoint says is repeated, in characters. */
const detailAtMost = 200;

/**
 * What an error of the `ai` package means for the Activation (design rule 6), said in a sentence without the key: a model that is away
 * or busy is waited for, a refusal is for good. Any other error comes back as it is.
 */
export function explainFailure(error: unknown, endpoint: ModelEndpoint): unknown {
  const model = `the model ${endpoint.provider}/${endpoint.model}`;
  if (!(error instanceof Error)) return new Error(`${model} failed: ${detailOf(JSON.stringify(error), endpoint)}`);
  const status = statusOf(error);
  const options = { cause: error };
  if (status !== undefined && (status === 408 || status === 429 || status >= 500)) {
    const busy = status === 429 ? 'asks to wait' : 'is unavailable';
    return new OutsideUnavailable(`${model} ${busy} (HTTP ${status})`, {
      ...options,
      retryAfterSeconds: APICallError.isInstance(error) ? retryAfterSeconds(error.responseHeaders) : undefined,
    });
  }
  const code = networkCode(error);
  if (code !== undefined && awayCodes.has(code))
    return new OutsideUnavailable(`${model} can't be reached (${code})`, options);
  if (code !== undefined) return new Error(`${model} did not answer in time (${code})`, options);
  if (status === undefined || status < 400) return error;
  if (status === 401 || status === 403)
    return new PermanentFailure(`${model} refuses our key (HTTP ${status}): check ${endpoint.keySetting}`, options);
  if (status === 404)
    return new PermanentFailure(
      `${model} is unknown to its server (HTTP 404): check MODEL and ${endpoint.urlSetting}`,
      options,
    );
  const detail = detailOf(error, endpoint);
  if (status === 413 || /context.{0,20}(length|window)|too (long|many tokens)|maximum.{0,30}tokens/i.test(detail))
    return new PermanentFailure(
      `this thread is too long for ${model}: go on in a new one, or lower HISTORY_TOKENS`,
      options,
    );
  return new PermanentFailure(`${model} refuses the request (HTTP ${status}): ${detail}`, options);
}

/** The HTTP status of a refusal, or what stands for it in an error that came inside a stream. */
function statusOf(error: Error): number | undefined {
  const status = 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

function networkCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    const code = 'code' in current ? current.code : undefined;
    if (typeof code === 'string' && (awayCodes.has(code) || code.startsWith('UND_ERR_'))) return code;
  }
  return undefined;
}

function detailOf(error: unknown, { apiKey }: ModelEndpoint): string {
  const text = error instanceof Error ? error.message : String(error);
  const masked = apiKey ? text.replaceAll(apiKey, '***') : text;
  return masked.replace(/\s+/g, ' ').slice(0, detailAtMost);
}

import { z } from 'zod';
import { ConfigurationError } from '../../errors.ts';
import type { ModelEndpoint } from './model-endpoint.ts';

const Model = z.object({ id: z.string() });
/** OpenAI's and Anthropic's list; some servers leave the envelope out. */
const ModelList = z.union([z.object({ data: z.array(Model) }), z.array(Model)]);

const waitMs = 5000;
const namedAtMost = 10;

/**
 * Asks the endpoint at start whether it lets us in and has the model. Sources: OpenAI's API reference, "List models";
 * Anthropic's, "List Models" and "Get a Model", which knows the aliases that the list leaves out.
 *
 * @returns a warning when the endpoint can't say which models it has, undefined when all is well.
 * @throws ConfigurationError when it can't be reached, refuses, or does not have the model: the message names those it has.
 */
export async function checkModel(endpoint: ModelEndpoint, timeoutMs = waitMs): Promise<string | undefined> {
  const { provider, model, baseUrl } = endpoint;
  const response = await get(endpoint, provider === 'anthropic' ? '/models?limit=1000' : '/models', timeoutMs);
  if (response.status === 404 || response.status === 405)
    return `${baseUrl} has no list of models: whether it has "${model}" will show at the first message`;
  if (response.status === 429)
    return `${baseUrl} asks to wait: whether it has "${model}" will show at the first message`;
  const list = ModelList.safeParse(response.body);
  if (!list.success)
    throw new ConfigurationError(`${baseUrl} answers, but not with a list of models: ${lookAt(endpoint)}`);
  const models = (Array.isArray(list.data) ? list.data : list.data.data).map(({ id }) => id);
  if (models.includes(model)) return undefined;
  if (provider === 'anthropic' && (await isAlias(endpoint, timeoutMs))) return undefined;
  throw new ConfigurationError(
    `MODEL is ${provider}/${model}, which ${baseUrl} does not have (valid: ${named(models)})`,
  );
}

async function isAlias(endpoint: ModelEndpoint, timeoutMs: number): Promise<boolean> {
  const { status, body } = await get(endpoint, `/models/${encodeURIComponent(endpoint.model)}`, timeoutMs);
  return status === 200 && Model.safeParse(body).success;
}

/** Any answer but a refusal or a failure of the server. */
async function get(
  endpoint: ModelEndpoint,
  path: string,
  timeoutMs: number,
): Promise<{ status: number; body: unknown }> {
  const { baseUrl } = endpoint;
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${baseUrl}${path}`, {
      headers: headersOf(endpoint),
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    throw new ConfigurationError(`${baseUrl} ${whyUnreachable(error, timeoutMs)}: ${lookAt(endpoint)}`, undefined, {
      cause: error,
    });
  }
  const { status } = response;
  if (status === 401 || status === 403) {
    const key = endpoint.apiKey === undefined ? 'wants a key' : 'refuses the key';
    throw new ConfigurationError(`${baseUrl} ${key} (HTTP ${status}): check ${endpoint.keySetting}`);
  }
  if (status >= 500)
    throw new ConfigurationError(`${baseUrl} refuses to list its models (HTTP ${status}): ${lookAt(endpoint)}`);
  return { status, body: parseJson(text) };
}

function headersOf({ provider, apiKey }: ModelEndpoint): Record<string, string> {
  if (provider === 'anthropic') return { 'x-api-key': apiKey ?? '', 'anthropic-version': '2023-06-01' };
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
}

function whyUnreachable(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `did not answer within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return `can't be reached${code}`;
}

function lookAt({ urlSetting, provider }: ModelEndpoint): string {
  return `check ${urlSetting}${provider === 'anthropic' ? '' : ' (with its /v1)'}`;
}

function named(models: readonly string[]): string {
  if (models.length === 0) return 'none: it lists no model at all';
  const names = models.slice(0, namedAtMost).join(', ');
  return models.length > namedAtMost ? `${names} and ${models.length - namedAtMost} more` : names;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

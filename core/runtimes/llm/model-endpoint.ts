import type { coreSettings } from '../../config/core-settings.ts';
import type { SettingsValues } from '../../config/setting.ts';
import { ConfigurationError } from '../../errors.ts';

/** The settings that say which model to use and how to reach it. */
export type ModelSettings = Pick<
  SettingsValues<typeof coreSettings>,
  'MODEL' | 'ANTHROPIC_API_KEY' | 'ANTHROPIC_BASE_URL' | 'OPENAI_API_KEY' | 'OPENAI_BASE_URL'
>;

/** Who serves a model. `openai` speaks OpenAI's Responses API, `openai-compatible` chat completions. */
export type ModelProvider = 'anthropic' | 'openai' | 'openai-compatible';

/** A model and where it is. `apiKey` never goes into a message. */
export interface ModelEndpoint {
  provider: ModelProvider;
  model: string;
  /** With its version path, without a slash at its end. */
  baseUrl: string;
  /** Undefined only where no key is needed: a server of one's own. */
  apiKey: string | undefined;
  /** The settings to look at when the endpoint refuses. */
  keySetting: 'ANTHROPIC_API_KEY' | 'OPENAI_API_KEY';
  urlSetting: 'ANTHROPIC_BASE_URL' | 'OPENAI_BASE_URL';
}

const providers: readonly ModelProvider[] = ['anthropic', 'openai', 'openai-compatible'];

/**
 * Reads `provider/model`; the model may hold slashes of its own.
 *
 * @throws ConfigurationError that names what is valid.
 */
export function parseModel(model: string): { provider: ModelProvider; model: string } {
  const slash = model.indexOf('/');
  const provider = providers.find((known) => known === model.slice(0, slash));
  const name = model.slice(slash + 1).trim();
  if (slash > 0 && provider && name !== '') return { provider, model: name };
  const valid = providers.map((known) => `${known}/<model>`).join(', ');
  throw new ConfigurationError(`MODEL is "${model}", which is not a provider and a model (valid: ${valid})`);
}

/**
 * The endpoint that the settings name. Nothing is read from the environment here: configuration is read once, elsewhere.
 *
 * @throws ConfigurationError when MODEL is malformed or a key or URL that it needs is not set.
 */
export function modelEndpoint(settings: ModelSettings & { MODEL: string }): ModelEndpoint {
  const { provider, model } = parseModel(settings.MODEL);
  const endpoint =
    provider === 'anthropic'
      ? anthropicEndpoint(settings, model)
      : openAiEndpoint(settings, provider, model, settings.OPENAI_BASE_URL);
  if (endpoint.apiKey === undefined && provider !== 'openai-compatible')
    throw new ConfigurationError(`MODEL is ${settings.MODEL}: set ${endpoint.keySetting}`);
  return endpoint;
}

function anthropicEndpoint(settings: ModelSettings, model: string): ModelEndpoint {
  const base = settings.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com';
  return {
    provider: 'anthropic',
    model,
    // Anthropic's own programs take this setting without the version, the `ai` package with it: both are understood.
    baseUrl: /\/v\d+$/.test(base) ? base : `${base}/v1`,
    apiKey: settings.ANTHROPIC_API_KEY,
    keySetting: 'ANTHROPIC_API_KEY',
    urlSetting: 'ANTHROPIC_BASE_URL',
  };
}

function openAiEndpoint(
  settings: ModelSettings,
  provider: 'openai' | 'openai-compatible',
  model: string,
  baseUrl: string | undefined,
): ModelEndpoint {
  if (baseUrl === undefined && provider === 'openai-compatible')
    throw new ConfigurationError(`MODEL is ${settings.MODEL}: set OPENAI_BASE_URL to the server's URL, with its /v1`);
  return {
    provider,
    model,
    baseUrl: baseUrl ?? 'https://api.openai.com/v1',
    apiKey: settings.OPENAI_API_KEY,
    keySetting: 'OPENAI_API_KEY',
    urlSetting: 'OPENAI_BASE_URL',
  };
}

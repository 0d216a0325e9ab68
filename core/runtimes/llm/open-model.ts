import type { LanguageModel } from 'ai';
import type { ModelEndpoint } from './model-endpoint.ts';

/**
 * The `ai` package's model for an endpoint. Everything is handed over: left out, a provider would read the environment by itself.
 * Only the provider in use is loaded.
 */
export async function openModel({ provider, model, baseUrl, apiKey }: ModelEndpoint): Promise<LanguageModel> {
  switch (provider) {
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return createAnthropic({ baseURL: baseUrl, apiKey: apiKey ?? '' })(model);
    }
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai');
      return createOpenAI({ baseURL: baseUrl, apiKey: apiKey ?? '' }).responses(model);
    }
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      // Without includeUsage a stream ends without a count of tokens.
      return createOpenAICompatible({ name: 'compatible', baseURL: baseUrl, apiKey, includeUsage: true }).chatModel(
        model,
      );
    }
  }
}

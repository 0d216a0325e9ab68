import { expect, test } from 'vitest';
import { ConfigurationError } from '../../errors.ts';
import { modelEndpoint, parseModel } from './model-endpoint.ts';

const unset = {
  ANTHROPIC_API_KEY: undefined,
  ANTHROPIC_BASE_URL: undefined,
  OPENAI_API_KEY: undefined,
  OPENAI_BASE_URL: undefined,
};

test.each([
  ['anthropic/claude-sonnet-4-5', 'anthropic', 'claude-sonnet-4-5'],
  ['openai/gpt-5', 'openai', 'gpt-5'],
  ['openai-compatible/org/model:7b', 'openai-compatible', 'org/model:7b'],
])('%s is a provider and a model', (text, provider, model) => {
  expect(parseModel(text)).toEqual({ provider, model });
});

test.each(['gpt-5', '/gpt-5', 'openai/', 'openai/ ', 'open-ai/gpt-5', ''])(
  '"%s" is refused, naming what is valid',
  (text) => {
    expect(() => parseModel(text)).toThrow(ConfigurationError);
    expect(() => parseModel(text)).toThrow(
      `MODEL is "${text}", which is not a provider and a model (valid: anthropic/<model>, openai/<model>, openai-compatible/<model>)`,
    );
  },
);

test('a key or URL that is needed and not set is named', () => {
  expect(() => modelEndpoint({ ...unset, MODEL: 'anthropic/x' })).toThrow('set ANTHROPIC_API_KEY');
  expect(() => modelEndpoint({ ...unset, MODEL: 'openai/x' })).toThrow('set OPENAI_API_KEY');
  expect(() => modelEndpoint({ ...unset, MODEL: 'openai-compatible/x' })).toThrow('set OPENAI_BASE_URL');
});

test("a server of one's own needs no key", () => {
  const endpoint = modelEndpoint({ ...unset, MODEL: 'openai-compatible/x', OPENAI_BASE_URL: 'http://localhost:1/v1' });
  expect(endpoint).toMatchObject({ baseUrl: 'http://localhost:1/v1', apiKey: undefined });
});

test('the environment is not looked at', () => {
  process.env.OPENAI_API_KEY = 'from the environment';
  try {
    expect(() => modelEndpoint({ ...unset, MODEL: 'openai/x' })).toThrow('set OPENAI_API_KEY');
  } finally {
    delete process.env.OPENAI_API_KEY;
  }
});

test.each([
  [undefined, 'https://api.anthropic.com/v1'],
  ['https://proxy.example', 'https://proxy.example/v1'],
  ['https://proxy.example/v1', 'https://proxy.example/v1'],
  ['https://proxy.example/anthropic', 'https://proxy.example/anthropic/v1'],
])('ANTHROPIC_BASE_URL %s is taken with and without its version', (ANTHROPIC_BASE_URL, baseUrl) => {
  expect(modelEndpoint({ ...unset, MODEL: 'anthropic/x', ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL }).baseUrl).toBe(
    baseUrl,
  );
});

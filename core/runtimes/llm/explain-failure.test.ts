import { APICallError } from 'ai';
import { expect, test } from 'vitest';
import { OutsideUnavailable, PermanentFailure } from '../../dispatch/failure.ts';
import { explainFailure } from './explain-failure.ts';
import { modelEndpoint } from './model-endpoint.ts';
import { retryAfterSeconds } from './retry-after.ts';

const endpoint = modelEndpoint({
  MODEL: 'anthropic/claude',
  ANTHROPIC_API_KEY: 'sk-secret',
  ANTHROPIC_BASE_URL: undefined,
  OPENAI_API_KEY: undefined,
  OPENAI_BASE_URL: undefined,
});

function refusal(statusCode: number, message = 'no', responseHeaders?: Record<string, string>) {
  return new APICallError({ message, statusCode, responseHeaders, url: 'http://x', requestBodyValues: {} });
}

test.each([408, 429, 500, 503, 529])('HTTP %i is waited for', (status) => {
  expect(explainFailure(refusal(status), endpoint)).toBeInstanceOf(OutsideUnavailable);
});

test.each([400, 401, 403, 404, 413, 422])('HTTP %i is for good', (status) => {
  expect(explainFailure(refusal(status), endpoint)).toBeInstanceOf(PermanentFailure);
});

test.each([
  'prompt is too long: 210000 tokens > 200000 maximum',
  "This model's maximum context length is 8192 tokens.",
  'Your input exceeds the context window of this model.',
])('a prompt that is too long is said in one sentence: %s', (message) => {
  expect(explainFailure(refusal(400, message), endpoint)).toMatchObject({
    message: 'this thread is too long for the model anthropic/claude: go on in a new one, or lower HISTORY_TOKENS',
  });
});

test('a refusal that repeats the key does not reach anybody with it', () => {
  const failure = explainFailure(refusal(400, 'bad header x-api-key: sk-secret'), endpoint);
  expect(failure).toMatchObject({
    message: 'the model anthropic/claude refuses the request (HTTP 400): bad header x-api-key: ***',
  });
});

test('any other error stays what it is', () => {
  const error = new RangeError('ours');
  expect(explainFailure(error, endpoint)).toBe(error);
});

test.each([
  ['7', 7],
  ['0.2', 1],
  ['Fri, 20 Nov 2026 10:00:30 GMT', 30],
  ['Fri, 20 Nov 2026 09:00:00 GMT', 0],
  ['soon', undefined],
])('Retry-After: %s means %s seconds', (value, seconds) => {
  expect(retryAfterSeconds({ 'retry-after': value }, Date.parse('2026-11-20T10:00:00Z'))).toBe(seconds);
});

test('milliseconds count before seconds', () => {
  expect(retryAfterSeconds({ 'retry-after-ms': '1500', 'retry-after': '60' })).toBe(2);
});

import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { alwaysAnswer } from '../../../e2e/stand-ins/model-scripts.ts';
import { type ModelServerOptions, startModelServer } from '../../../e2e/stand-ins/model-server.ts';
import { ConfigurationError } from '../../errors.ts';
import { checkModel } from './check-model.ts';
import { modelEndpoint } from './model-endpoint.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function modelServer(options: Partial<ModelServerOptions> = {}) {
  const server = await startModelServer({ script: alwaysAnswer('x'), ...options });
  closers.push(server.close);
  return server;
}

/** A server that answers as none of ours does. */
async function oddServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

function endpoint(url: string, model = 'scripted', provider = 'openai-compatible', key = 'sk-secret') {
  return modelEndpoint({
    MODEL: `${provider}/${model}`,
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: key,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: key,
  });
}

async function refusalOf(check: Promise<unknown>): Promise<string> {
  const error = await check.then(
    () => expect.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(String(error)).not.toContain('sk-secret');
  return error instanceof Error ? error.message : '';
}

test('a model that is listed is fine', async () => {
  const { url } = await modelServer({ key: 'sk-secret', models: ['other', 'scripted'] });
  expect(await checkModel(endpoint(url))).toBeUndefined();
  expect(await checkModel(endpoint(url, 'other', 'openai'))).toBeUndefined();
});

test('a model that is not listed is refused, naming some of those that are', async () => {
  const { url } = await modelServer({ models: Array.from({ length: 12 }, (_, index) => `m${index}`) });
  expect(await refusalOf(checkModel(endpoint(url, 'm99')))).toBe(
    `MODEL is openai-compatible/m99, which ${url} does not have (valid: m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more)`,
  );
});

test('a wrong key is refused, naming the setting', async () => {
  const { url } = await modelServer({ key: 'sk-right' });
  expect(await refusalOf(checkModel(endpoint(url)))).toBe(`${url} refuses the key (HTTP 401): check OPENAI_API_KEY`);
});

test('a server that is not there is refused, naming the setting', async () => {
  const server = await modelServer();
  await server.pause();
  expect(await refusalOf(checkModel(endpoint(server.url)))).toBe(
    `${server.url} can't be reached (ECONNREFUSED): check OPENAI_BASE_URL (with its /v1)`,
  );
});

test('a server without a list is warned of', async () => {
  const { url } = await modelServer({ modelList: 'missing' });
  expect(await checkModel(endpoint(url))).toContain('has no list of models');
});

test('a server that fails or never answers is refused', async () => {
  const failing = await oddServer((_request, response) => response.writeHead(502).end('<html>'));
  expect(await refusalOf(checkModel(endpoint(failing)))).toContain('(HTTP 502)');
  const silent = await oddServer(() => undefined);
  expect(await refusalOf(checkModel(endpoint(silent), 100))).toContain('did not answer within 0.1 s');
});

test('a server of something else is refused', async () => {
  const url = await oddServer((_request, response) => response.end('<html>hello</html>'));
  expect(await refusalOf(checkModel(endpoint(url)))).toContain('not with a list of models: check OPENAI_BASE_URL');
});

test("Anthropic is asked in its own way, also for a model's alias", async () => {
  const asked: IncomingMessage[] = [];
  const url = await oddServer((request, response) => {
    asked.push(request);
    if (request.headers['x-api-key'] !== 'sk-secret') return void response.writeHead(401).end();
    const { pathname } = new URL(request.url ?? '', 'http://x');
    if (pathname === '/v1/models')
      return void response.end('{"data":[{"type":"model","id":"claude-1-20260101"}],"has_more":false}');
    if (pathname === '/v1/models/claude-1') return void response.end('{"type":"model","id":"claude-1-20260101"}');
    response.writeHead(404).end('{"type":"error"}');
  });
  expect(await checkModel(endpoint(url, 'claude-1-20260101', 'anthropic'))).toBeUndefined();
  expect(await checkModel(endpoint(url, 'claude-1', 'anthropic'))).toBeUndefined();
  expect(asked[0]?.headers['anthropic-version']).toBe('2023-06-01');
  expect(await refusalOf(checkModel(endpoint(url, 'claude-0', 'anthropic')))).toContain('valid: claude-1-20260101');
  expect(await refusalOf(checkModel(endpoint(url, 'claude-1', 'anthropic', 'bad')))).toContain(
    'check ANTHROPIC_API_KEY',
  );
});

import express, { Router } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ForbiddenError,
  InvalidInputError,
  TooManyRequestsError,
  UnauthenticatedError,
  UnavailableError,
} from '../errors.ts';
import { createLog } from '../log/log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { createHttpApp } from './http-app.ts';
import { type Listening, listen } from './listen.ts';
import { createReadiness } from './readiness.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listening) => listening.close(0)));
});

async function start(options: { metricsAllow?: string[]; parts?: string[]; host?: string } = {}) {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', to: { write: (line) => void lines.push(line) } });
  const readiness = createReadiness(...(options.parts ?? []));
  const http = createHttpApp({ log, metrics: createMetrics(), readiness, metricsAllow: options.metricsAllow ?? [] });
  const listening = await listen(http.app, { host: options.host ?? '127.0.0.1', port: 0 });
  open.push(listening);
  return { ...http, lines, readiness, url: listening.url };
}

async function startThrowing(error: unknown) {
  const started = await start();
  started.mount('/fails', () => {
    throw error;
  });
  return started;
}

describe('/healthz', () => {
  it('answers 200 while the process lives, ready or not', async () => {
    const { url } = await start({ parts: ['database'] });
    const response = await fetch(`${url}/healthz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok' });
  });
});

describe('/readyz', () => {
  it('answers 503 and names what it waits for, and 200 once everything is up', async () => {
    const { url, readiness } = await start({ parts: ['database', 'mail'] });
    readiness.set('database', true);
    const early = await fetch(`${url}/readyz`);
    expect(early.status).toBe(503);
    expect(early.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await early.json()).toMatchObject({
      code: 'not_ready',
      waitingFor: ['mail'],
      detail: expect.stringMatching(/mail/),
    });
    readiness.set('mail', true);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('asks a check each time, and one that fails is not up', async () => {
    const { url, readiness } = await start();
    let reachable = true;
    readiness.set('database', async () => {
      if (!reachable) throw new Error('connection refused');
      return true;
    });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    reachable = false;
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
  });

  it('does not hang on a check that hangs', async () => {
    const { url, readiness } = await start();
    readiness.set('database', () => new Promise(() => undefined));
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
    expect(await response.json()).toMatchObject({ waitingFor: ['database'] });
  });
});

describe('/metrics', () => {
  it('is read from this machine, and counts the requests', async () => {
    const { url } = await start();
    await (await fetch(`${url}/healthz`)).text();
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('switchboard_http_request_seconds_count{method="GET",status="200"} 1');
  });

  it.each(['X-Forwarded-For', 'Forwarded'])('is not for those whom a proxy here passes on with %s', async (header) => {
    const { url } = await start();
    const response = await fetch(`${url}/metrics`, { headers: { [header]: '127.0.0.1' } });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      code: 'metrics_not_allowed',
      detail: expect.stringMatching(/METRICS_ALLOW/),
    });
  });

  it('is for such a proxy where its address is allowed', async () => {
    const { url } = await start({ metricsAllow: ['127.0.0.0/8'] });
    expect((await fetch(`${url}/metrics`, { headers: { 'X-Forwarded-For': '192.0.2.1' } })).status).toBe(200);
  });
});

describe('a mounted route', () => {
  it('is served although it was mounted after the start, and gets its body raw', async () => {
    const { url, mount } = await start();
    const router = Router();
    router.post('/events', express.raw({ type: '*/*' }), (request, response) => {
      response.json({ bytes: request.body.length });
    });
    mount('/slack', router);
    const response = await fetch(`${url}/slack/events`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{ "a":  1 }',
    });
    expect(await response.json()).toEqual({ bytes: 11 });
  });
});

describe('every answer', () => {
  it('has a request id and the security headers, and does not name the software', async () => {
    const { url } = await start();
    for (const path of ['/healthz', '/nothing']) {
      const { headers } = await fetch(url + path);
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('an error', () => {
  it.each([
    [new InvalidInputError('kind must be human or ai'), 400, 'invalid_input'],
    [new UnauthenticatedError('send a bearer token'), 401, 'unauthenticated'],
    [new ForbiddenError('another worker'), 403, 'forbidden'],
    [new TooManyRequestsError('ask again', 'too_many_requests', { retryAfterSeconds: 7 }), 429, 'too_many_requests'],
    [new UnavailableError('the database does not answer'), 503, 'unavailable'],
  ])('that says what to do is told as a problem: %s', async (error, status, code) => {
    const { url } = await startThrowing(error);
    const response = await fetch(`${url}/fails`);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
    expect(response.headers.get('retry-after')).toBe(status === 429 ? '7' : null);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: expect.stringMatching(/^[A-Z]/),
      status,
      code,
      detail: error.message,
    });
  });

  it.each([
    new TypeError('x of undefined at hunter2'),
    Object.assign(new Error('Not Found: hunter2'), { status: 404 }),
    'hunter2',
  ])('that is a defect says nothing but an id, under which the log has it: %s', async (thrown) => {
    const { url, lines } = await startThrowing(thrown);
    const response = await fetch(`${url}/fails?secret=in-the-query`);
    expect(response.status).toBe(500);
    const problem = (await response.json()) as { id: string };
    expect(problem).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      code: 'internal',
      id: response.headers.get('x-request-id'),
    });
    const entry = lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'error');
    expect(entry).toMatchObject({
      request: problem.id,
      path: '/fails',
      err: { message: expect.stringMatching(/hunter2/) },
    });
    expect(lines.join('')).not.toContain('in-the-query');
  });

  it('in a body is the fault of who sent it', async () => {
    const { url, mount } = await start();
    mount(
      '/json',
      Router().post('/', express.json({ limit: 20 }), (_request, response) => void response.json({})),
    );
    const post = (body: string) =>
      fetch(`${url}/json`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    expect(await (await post('{"a":')).json()).toMatchObject({ status: 400, code: 'invalid_input' });
    expect(await (await post(JSON.stringify('x'.repeat(50)))).json()).toMatchObject({ status: 413, code: 'too_large' });
  });

  it('in a path is the fault of who sent it', async () => {
    const { url, mount } = await start();
    mount(
      '/workers',
      Router().get('/:id', (_request, response) => void response.json({})),
    );
    expect(await (await fetch(`${url}/workers/%E0`)).json()).toMatchObject({ status: 400, code: 'invalid_input' });
  });

  it('in the middle of an answer cuts it, so that it does not look whole', async () => {
    const { url, mount } = await start();
    mount('/half', (_request, response) => {
      response.write('half');
      throw new Error('broke');
    });
    await expect(fetch(`${url}/half`).then((response) => response.text())).rejects.toThrow();
  });

  it('is 404 where there is nothing', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/nothing?here`, { method: 'POST' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found', detail: 'there is nothing at /nothing' });
  });
});

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../log/log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { allowHosts } from './allow-hosts.ts';
import { createHttpApp } from './http-app.ts';
import { type Listening, listen } from './listen.ts';
import { createReadiness } from './readiness.ts';

let listening: Listening;
beforeAll(async () => {
  const log = createLog({ level: 'silent' });
  const { app, mount } = createHttpApp({
    log,
    metrics: createMetrics(),
    readiness: createReadiness(),
    metricsAllow: [],
  });
  mount('/mcp', allowHosts(['Agents.Example.com:8443']));
  mount('/mcp', (_request, response) => void response.json({ code: 'passed' }));
  listening = await listen(app, { host: '127.0.0.1', port: 0 });
});
afterAll(() => listening.close(0));

/** By node:http: fetch sets the Host header itself. */
async function ask(headers: Record<string, string>): Promise<{ status: number | undefined; code: string }> {
  const asking = request(`${listening.url}/mcp`, { headers, setHost: false });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const { code } = (await json(response)) as { code: string };
  return { status: response.statusCode, code };
}

describe('allowHosts', () => {
  it.each<Record<string, string>>([
    { Host: 'localhost' },
    { Host: 'localhost:8080', Origin: 'http://localhost:6274' },
    { Host: '127.0.0.1:1' },
    { Host: '127.9.9.9' },
    { Host: '[::1]:8080', Origin: 'http://[::1]:8080' },
    { Host: 'agents.example.com', Origin: 'https://agents.example.com' },
    { Host: 'AGENTS.example.com:8443' },
  ])('lets this machine and PUBLIC_URL pass: %o', async (headers) => {
    expect(await ask(headers)).toEqual({ status: 200, code: 'passed' });
  });

  it.each<Record<string, string>>([
    { Host: 'evil.example.com' },
    { Host: 'evil.example.com:8080', Origin: 'http://evil.example.com:8080' },
    { Host: 'localhost.evil.example.com' },
    { Host: 'agents.example.com.evil.example' },
    { Host: 'localhost@evil.example.com' },
    { Host: '0.0.0.0' },
    { Host: '192.0.2.1' },
    { Host: '' },
    { Host: ':80' },
    { Host: 'localhost', Origin: 'http://evil.example.com' },
    { Host: 'localhost', Origin: 'null' },
  ])('stops whoever comes under another name: %o', async (headers) => {
    expect(await ask(headers)).toEqual({ status: 403, code: 'host_not_allowed' });
  });
});

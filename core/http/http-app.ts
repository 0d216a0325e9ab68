import express, { type Express, type RequestHandler, Router } from 'express';
import { ForbiddenError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { allowAddresses } from './address-policy.ts';
import { handleErrors, notFound } from './handle-errors.ts';
import { sendProblem } from './problem.ts';
import type { Readiness } from './readiness.ts';
import { requestIdOf, requestIds } from './request-id.ts';
import { createUpgrades, type Upgrades } from './upgrades.ts';

/** The Express app of a core process, and the one way to add routes to it. */
export type HttpApp = {
  readonly app: Express;
  /** Adds a door's routes, at any time. Bodies are unparsed here: whoever checks a signature needs them raw. */
  mount(path: string, routes: RequestHandler): void;
  /** Where WebSockets are taken; {@link listen} connects them to the server. */
  readonly upgrades: Upgrades;
};

/**
 * The HTTP app: `/healthz`, `/readyz`, `/metrics`, whatever is mounted, and problems for the rest.
 *
 * @param metricsAllow addresses and ranges that may read `/metrics` besides this machine
 */
export function createHttpApp(parts: {
  log: Log;
  metrics: Metrics;
  readiness: Readiness;
  metricsAllow: readonly string[];
}): HttpApp {
  const { log, metrics, readiness } = parts;
  const mayReadMetrics = allowAddresses(parts.metricsAllow);
  const routes = Router();
  const app = express();
  app.disable('x-powered-by');
  app.use(requestIds(), secureHeaders(), measure(metrics, log));

  app.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    const waitingFor = await readiness.waitingFor();
    if (waitingFor.length === 0) {
      response.set('Cache-Control', 'no-store').json({ status: 'ready' });
    } else {
      const detail = `not ready: waiting for ${waitingFor.join(', ')}`;
      sendProblem(response, { status: 503, code: 'not_ready', detail, extra: { waitingFor } });
    }
  });
  app.get('/metrics', async (request, response) => {
    if (!mayReadMetrics(request)) {
      throw new ForbiddenError(
        'metrics are for this machine only: add your address to METRICS_ALLOW',
        'metrics_not_allowed',
      );
    }
    response.set('Content-Type', metrics.contentType).send(await metrics.page());
  });

  app.use(routes, notFound(), handleErrors(log));
  return { app, mount: (path, router) => void routes.use(path, router), upgrades: createUpgrades(log) };
}

/** No guessing of content types, and no address of ours in other sites' logs. */
function secureHeaders(): RequestHandler {
  return (_request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
    next();
  };
}

function measure(metrics: Metrics, log: Log): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - started) / 1000;
      const { statusCode: status } = response;
      metrics.requestAnswered(request.method, status, seconds);
      const path = request.originalUrl.split('?', 1)[0];
      log.debug({ request: requestIdOf(response), method: request.method, path, status, seconds }, 'request');
    });
    next();
  };
}

import express, { type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import type { Core } from '../../../core/core.ts';
import { InvalidInputError, UnavailableError } from '../../../core/errors.ts';
import { allowHosts } from '../../../core/http/allow-hosts.ts';
import type { SecretKey } from '../../../core/secrets/secret-key.ts';
import type { ThreadId } from '../../../core/store/ids.ts';
import { newMessage, requestBytes, stopRequest, threadId } from '../wire.ts';
import { authenticate, type Caller } from './authenticate.ts';
import { openEventStream } from './event-stream.ts';
import { findThread } from './find-thread.ts';
import { listCompletions } from './list-completions.ts';
import { postMessage } from './post-message.ts';
import { type Watch, watchThread } from './watch-thread.ts';

/** The routes of the terminal door, and what ends them. */
export interface TerminalRoutes {
  routes: RequestHandler;
  /** Accepts nothing more and ends the streams that are open: those who watch connect again, to whatever core is up. */
  stop(): void;
}

/** `/terminal/…`, JSON; every request with a person's bearer token, and from a page of this server or no page at all. */
export function terminalRoutes(core: Core, parts: { publicUrl: string; secretKey: SecretKey }): TerminalRoutes {
  const watches = new Map<Watch, Response>();
  let stopped = false;
  const router = Router();

  router.use(allowHosts([new URL(parts.publicUrl).host]), async (request, response, next) => {
    if (stopped) throw new UnavailableError('this core is being stopped: try again in a moment');
    response.locals.caller = await authenticate(core.database, parts.secretKey, request);
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.use(express.json({ limit: requestBytes }));

  router.get('/completions', async (_request, response) => {
    response.json(await listCompletions(core, callerOf(response)));
  });

  router.post('/messages', async (request, response) => {
    response.json(await postMessage(core, callerOf(response), parse(newMessage, request.body)));
  });

  router.post('/threads/:thread/stop', async (request, response) => {
    const thread = parse(threadId, request.params.thread);
    const { id } = parse(stopRequest, request.body);
    response.json(await postMessage(core, callerOf(response), { id, thread, body: 'stop' }));
  });

  router.get('/threads/:thread/events', async (request, response) => {
    const caller = callerOf(response);
    const thread: ThreadId = parse(threadId, request.params.thread);
    const since = Number(request.query.since ?? 0);
    if (!Number.isSafeInteger(since) || since < 0)
      throw new InvalidInputError('since: it must be the position of an event, or 0');
    await findThread(core.database, caller, thread);
    if (request.socket.destroyed) return;
    const sink = openEventStream(request, response, {
      drained: () => watch.look(),
      closed: () => {
        watch.stop();
        watches.delete(watch);
      },
    });
    const watch = watchThread(core, caller, thread, since, sink);
    watches.set(watch, response);
  });

  return {
    routes: router,
    stop() {
      stopped = true;
      for (const [watch, response] of watches) {
        watch.stop();
        response.end();
      }
    },
  };
}

function callerOf(response: Response): Caller {
  return response.locals.caller as Caller;
}

/** @throws InvalidInputError naming the first thing that is wrong */
function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.join('.') ?? '';
  throw new InvalidInputError(`${at === '' ? '' : `${at}: `}${issue?.message ?? 'malformed'}`);
}

import { createSecretKey } from 'node:crypto';
import type { Core } from '../../../core/core.ts';
import { startDispatcher } from '../../../core/dispatch/dispatcher.ts';
import { coreForTests } from '../../../core/dispatch/testing/core-for-tests.ts';
import { createHttpApp } from '../../../core/http/http-app.ts';
import { type Listening, listen } from '../../../core/http/listen.ts';
import { createReadiness } from '../../../core/http/readiness.ts';
import { makeToken } from '../../../core/mcp/tokens.ts';
import { defaultOrganisation, ownerWorker, seed } from '../../../core/organisation/seed.ts';
import { chatPrompts } from '../../../core/prompts/chat-prompts.ts';
import type { RuntimeRun } from '../../../core/runtimes/runtime.ts';
import type { OrganisationId, WorkerId } from '../../../core/store/ids.ts';
import { testDatabase } from '../../../core/store/testing/test-database.ts';
import { terminal } from '../index.ts';
import { makeOwnerTicket } from '../owner-ticket.ts';

/** What SECRET_KEY is in these tests. */
export const secretText = 'a secret key that is only for tests';
const secretKey = createSecretKey(secretText, 'utf8');

/** What an agent does when it is woken: gives its reply. */
export type Agent = (run: RuntimeRun) => Promise<string>;

/** The text of the message that woke an agent last. */
export function lastBody(run: RuntimeRun): string {
  return run.briefing.batch.at(-1)?.body ?? '';
}

/** Settles when the run is told to stop, as a runtime does: by throwing why. */
export function untilStopped(run: RuntimeRun): Promise<never> {
  return new Promise((_, reject) => {
    run.signal.addEventListener('abort', () => reject(run.signal.reason), { once: true });
  });
}

/** A core process, but for the process: its terminal door on HTTP, and its dispatcher if it has an agent. */
export interface HouseCore {
  core: Core;
  url: string;
  port: number;
  /** Ends the door and cuts its connections, as a process that dies does; the dispatcher goes on. */
  goAway(): Promise<void>;
  /** On the same port again. */
  comeBack(): Promise<void>;
  /** Sends JSON to the door; the owner's ticket unless told. */
  post(path: string, body: unknown, token?: string): Promise<{ status: number; body: Record<string, unknown> }>;
}

/** A seeded database, and any number of cores on it. */
export interface TerminalHouse extends AsyncDisposable {
  add(agent?: Agent): Promise<HouseCore>;
  ticket(): string;
  token(worker?: WorkerId, organisation?: OrganisationId): Promise<string>;
}

/** Opens a house of a test's own. */
export async function openTerminalHouse(): Promise<TerminalHouse> {
  await using opened = new AsyncDisposableStack();
  const database = await testDatabase();
  opened.defer(() => database.close());
  const cores: HouseCore[] = [];
  const closing = new AsyncDisposableStack();

  async function add(agent?: Agent): Promise<HouseCore> {
    const runtime = agent && { name: 'test', run: async (run: RuntimeRun) => ({ text: await agent(run) }) };
    const { core: bare, close } = await coreForTests({ url: database.url, ...(runtime ? { runtime } : {}) });
    closing.defer(close);
    const core = { ...bare, prompts: chatPrompts };
    if (cores.length === 0) await seed(core.database);
    if (agent) {
      const noTools = { open: () => Promise.reject(new Error('no tools here')), isIdempotent: () => false };
      const dispatcher = startDispatcher(core, { slots: 4, tools: noTools });
      closing.defer(() => dispatcher.stop(0));
    }
    let stop: () => Promise<void> = async () => undefined;
    let listening: Listening | undefined;

    async function comeBack(): Promise<void> {
      const http = createHttpApp({
        log: core.log,
        metrics: core.metrics,
        readiness: createReadiness(),
        metricsAllow: [],
      });
      const bot = await terminal.start(
        core,
        {},
        {
          mount: http.mount,
          publicUrl: 'http://switchboard.example',
          secretKey,
          dataDirectory: '/nowhere',
          configured: new Set(),
        },
      );
      listening = await listen(http.app, { host: '127.0.0.1', port: listening?.port ?? 0 });
      stop = async () => await bot?.stop();
    }

    async function goAway(): Promise<void> {
      await listening?.close(0);
      await stop();
    }

    await comeBack();
    closing.defer(goAway);
    const port = listening?.port ?? 0;
    const url = `http://127.0.0.1:${port}`;
    const house: HouseCore = {
      core,
      url,
      port,
      goAway,
      comeBack,
      async post(path, body, token = makeOwnerTicket(secretKey)) {
        const response = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        return { status: response.status, body: (await response.json()) as Record<string, unknown> };
      },
    };
    cores.push(house);
    return house;
  }

  const kept = opened.move();
  return {
    add,
    ticket: () => makeOwnerTicket(secretKey),
    async token(worker = ownerWorker, organisation = defaultOrganisation) {
      const [first] = cores;
      if (!first) throw new Error('no core has been added to this house yet');
      return await makeToken(first.core.database, secretKey, organisation, worker);
    },
    async [Symbol.asyncDispose]() {
      await closing.disposeAsync();
      await kept.disposeAsync();
    },
  };
}

import { rm } from 'node:fs/promises';
import { findFreePort } from '../core/store/embedded/free-port.ts';
import { type MailToSend, type SmtpAnswer, sendMail } from './clients/send-mail.ts';
import { switchboardValue } from './clients/switchboard-command.ts';
import { connectWorker, type WorkerMcp } from './clients/worker-mcp.ts';
import { embeddedUrl, query } from './database.ts';
import { findDatabaseProcesses } from './process-tree.ts';
import { type Core, type CoreOptions, makeDataDirectory, startCore } from './processes.ts';
import { type MailSink, startMailSink } from './stand-ins/mail-sink.ts';
import type { Script } from './stand-ins/model-scripts.ts';
import { type ModelServer, startModelServer } from './stand-ins/model-server.ts';

/** How a house is furnished. */
export type HouseOptions = {
  /** What the scripted model does; without it there is no model, and agents look up what was said. */
  script?: Script;
  /** Settings of the core beside those that make it find its mail sink and its model. */
  env?: CoreOptions['env'];
  /** The `main.ts` that is run, when it is not ours. */
  main?: string;
};

/** The whole product as a process, with a mail sink and, if wanted, a scripted model. Disposing of it leaves nothing behind. */
export type House = AsyncDisposable & {
  dataDirectory: string;
  sink: MailSink;
  model: ModelServer | undefined;
  /** The core that was started last. Its ports stay the same. */
  core(): Core;
  /** Starts a core and waits until it is ready; the one before must have ended. */
  start(env?: CoreOptions['env']): Promise<Core>;
  /** Sends a mail to the core. */
  send(mail: Partial<MailToSend> & { from: string; text: string }): Promise<SmtpAnswer>;
  /** Runs a statement on the embedded database; the core (or its orphaned database) must be up. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** `npx switchboard <args>`: the value it prints. */
  switchboard(...args: string[]): Promise<string>;
  /** A worker's MCP endpoint with a token of its own; closed with the house. */
  mcp(worker: string): Promise<WorkerMcp>;
};

/** Opens a house; no core runs in it yet. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  await using opened = new AsyncDisposableStack();
  const dataDirectory = await makeDataDirectory();
  opened.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  const sink = await startMailSink();
  opened.defer(() => sink.close());
  const model = options.script ? await startModelServer({ script: options.script }) : undefined;
  opened.defer(() => model?.close());
  const port = await findFreePort();
  let smtpPort = port;
  while (smtpPort === port) smtpPort = await findFreePort();
  let current: Core | undefined;

  const core = () => {
    if (!current) throw new Error('no core was started in this house yet');
    return current;
  };
  opened.defer(async () => {
    await current?.killEverything();
    const left = findDatabaseProcesses(dataDirectory);
    if (left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
  });

  const kept = opened.move();
  return {
    dataDirectory,
    sink,
    model,
    core,
    start: async (env) => {
      const found = { ...modelSettings(model), SMTP_URL: sink.url, ...options.env, ...env };
      const program = options.main ? { program: [options.main, 'start'] } : {};
      current = await startCore({ dataDirectory, port, smtpPort, env: found, ...program });
      await current.waitReady();
      return current;
    },
    send: (mail) =>
      sendMail({ to: 'assistant@localhost', subject: 'Hello', port: core().smtpPort, ...mail, text: `${mail.text}\n` }),
    query: async (text, values) => query(await embeddedUrl(dataDirectory), text, values),
    switchboard: (...args) => switchboardValue(args, { dataDirectory }),
    mcp: async (worker) => {
      const token = await switchboardValue(['token', worker], { dataDirectory });
      const connection = await connectWorker(core().url, worker, token);
      kept.defer(() => connection.close());
      return connection;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The settings that lead a core to a model server. */
export function modelSettings(model: ModelServer | undefined): Record<string, string> {
  if (!model) return {};
  return { MODEL: 'openai-compatible/scripted', OPENAI_BASE_URL: model.url };
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SMTPServer, type SMTPServerError } from 'smtp-server';
import { retryWhileInUse } from './loopback-http.ts';
import { writeMailsTo } from './mail-folder.ts';
import { runProgram } from './run-program.ts';
import { readMail, type SunkMail } from './sunk-mail.ts';

/** Where in the SMTP dialogue a mail is refused; `data` is after its last byte. */
export type RefusalStage = 'mail' | 'rcpt' | 'data';

/** How a sink behaves; everything has a default. */
export type MailSinkOptions = {
  /** Default 0: a free one. */
  port?: number;
  /** Wait before a mail is answered, in milliseconds; default 0. */
  delayMs?: number;
  /** Refuses a mail that has problems with 554 instead of only noting them; default false. */
  strict?: boolean;
  /** Called with each mail before it is answered 250; what it throws is answered 451. */
  onMail?: (mail: SunkMail) => void;
};

/** A running sink. */
export type MailSink = {
  /** `smtp://127.0.0.1:<port>`, as SMTP_URL wants it. */
  url: string;
  port: number;
  /** Every mail accepted, oldest first. */
  messages(): readonly SunkMail[];
  /** The first mail, already here or still to come, that the predicate accepts; throws an Error after `ms`. */
  waitFor(predicate: (mail: SunkMail, all: readonly SunkMail[]) => boolean, ms: number): Promise<SunkMail>;
  /** Refuses the next `n` mails with an SMTP code (4xx or 5xx; Infinity until rejectNext(0)); 421 hangs up too. */
  rejectNext(n: number, code?: number, stage?: RefusalStage): void;
  /** How many mails were refused so far. */
  refusals(): number;
  /** Sets `delayMs` from the next mail on. */
  slowDown(delayMs: number): void;
  /** Stops listening and drops open connections: clients get ECONNREFUSED until {@link MailSink.resume}. */
  pause(): Promise<void>;
  /** Listens again on the same port; the mails stay. */
  resume(): Promise<void>;
  close(): Promise<void>;
};

/** Starts an SMTP server on 127.0.0.1 that accepts every mail for everybody and keeps it; no TLS, no login. */
export async function startMailSink(options: MailSinkOptions = {}): Promise<MailSink> {
  const messages: SunkMail[] = [];
  const waiting = new Set<() => void>();
  let delayMs = options.delayMs ?? 0;
  let refuse = { left: 0, code: 451, stage: 'data' as RefusalStage };
  let refused = 0;

  const checkRefusal = (stage: RefusalStage) => {
    if (refuse.left <= 0 || refuse.stage !== stage) return;
    refuse.left -= 1;
    refused += 1;
    throw smtpError(refuse.code, 'Refused, as this sink was told.');
  };
  const accept = (mail: SunkMail) => {
    checkRefusal('data');
    if (options.strict && mail.problems.length > 0) {
      refused += 1;
      throw smtpError(554, `Not as it should be: ${mail.problems.join('; ')}`);
    }
    options.onMail?.(mail);
    messages.push(mail);
    for (const look of [...waiting]) look();
  };
  const listen = (port: number) =>
    listenOn(port, {
      onMail: () => checkRefusal('mail'),
      onRecipient: () => checkRefusal('rcpt'),
      onData: async (raw, envelope) => {
        accept(await readMail(raw, envelope));
        if (delayMs > 0) await sleep(delayMs);
      },
    });

  let server: SMTPServer | undefined = await listen(options.port ?? 0);
  const { port } = server.server.address() as AddressInfo;
  const pause = async () => {
    const closing = server;
    server = undefined;
    if (closing) await new Promise<void>((resolve) => closing.close(resolve));
  };

  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    messages: () => messages,
    waitFor: (predicate, ms) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = messages.find((mail) => predicate(mail, messages));
          if (found) settle(() => resolve(found));
        };
        const timer = setTimeout(() => settle(() => reject(new Error(notFound(ms, messages)))), ms);
        const settle = (end: () => void) => {
          clearTimeout(timer);
          waiting.delete(look);
          end();
        };
        waiting.add(look);
        look();
      }),
    rejectNext: (n, code = 451, stage = 'data') => {
      refuse = { left: n, code, stage };
    },
    refusals: () => refused,
    slowDown: (ms) => {
      delayMs = ms;
    },
    pause,
    resume: async () => {
      server ??= await retryWhileInUse(() => listen(port));
    },
    close: pause,
  };
}

type Handlers = {
  onMail(): void;
  onRecipient(): void;
  onData(raw: Buffer, envelope: SunkMail['envelope']): Promise<void>;
};

async function listenOn(port: number, handlers: Handlers): Promise<SMTPServer> {
  const server = new SMTPServer({
    name: 'sink.localhost',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1,
    onMailFrom: (_address, _session, callback) => callback(thrownBy(handlers.onMail)),
    onRcptTo: (_address, _session, callback) => callback(thrownBy(handlers.onRecipient)),
    onData: (stream, session, callback) => {
      const { mailFrom, rcptTo } = session.envelope;
      const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map((recipient) => recipient.address) };
      collect(stream)
        .then((raw) => handlers.onData(raw, envelope))
        .then(
          () => callback(),
          (error: SMTPServerError) => callback(smtpError(error.responseCode ?? 451, error.message)),
        );
    },
  });
  // A client that hangs up in mid-dialogue is no error of the test; a port in use rejects the `once` below.
  server.on('error', () => {});
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  return server;
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function thrownBy(action: () => void): Error | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function smtpError(responseCode: number, message: string): SMTPServerError {
  return Object.assign(new Error(message), { responseCode });
}

function notFound(ms: number, messages: readonly SunkMail[]): string {
  const subjects = messages.slice(-10).map((mail) => `"${mail.subject}" to ${mail.to.join(', ')}`);
  return `no such mail within ${ms} ms; ${messages.length} came, the last: ${subjects.join('; ') || 'none'}`;
}

if (import.meta.main) {
  await runProgram(async () => {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        folder: { type: 'string' },
        strict: { type: 'boolean', default: false },
        'delay-ms': { type: 'string', default: '0' },
      },
    });
    if (!values.folder) throw new Error('say where to put the mails: --folder <path>');
    return startMailSink({
      port: Number(values.port),
      strict: values.strict,
      delayMs: Number(values['delay-ms']),
      onMail: writeMailsTo(values.folder),
    });
  });
}

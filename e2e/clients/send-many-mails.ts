import { setTimeout as sleep } from 'node:timers/promises';
import { connectMail, type MailToSend, newMessageId, type SmtpAnswer } from './send-mail.ts';

/** What became of one mail. `code` is the last answer's, 0 when the server gave none. */
export type MailOutcome = {
  mail: MailToSend & { messageId: string };
  code: number;
  text: string;
  /** One for each time it was sent; more than one only with `retryForMs`. */
  attempts: { code: number; ms: number }[];
};

/** How many mails are sent, where, and how. */
export type SendManyOptions = {
  port: number;
  /** An asynchronous source sets the pace. */
  mails: Iterable<MailToSend> | AsyncIterable<MailToSend>;
  /** Connections that send at the same time; default 4. */
  connections?: number;
  /**
   * How long a mail is sent again, with the same Message-ID, after a 4xx or no answer, as a mail server does; default 0:
   * once. A 5xx is final.
   */
  retryForMs?: number;
  /** Pause before a mail is sent again; default 200 ms. */
  retryEveryMs?: number;
  /** Called with each outcome as it comes. */
  onOutcome?: (outcome: MailOutcome) => void;
};

/** The outcome of all mails, in the order in which they were settled, and how long it took. */
export type SendManyResult = {
  accepted: MailOutcome[];
  others: MailOutcome[];
  elapsedMs: number;
  perSecond: number;
  /** Milliseconds from the first byte to the 250, of the attempts that were answered 250. */
  latencyMs: { p50: number; p95: number; max: number };
};

/** Sends many mails to a server on 127.0.0.1 over several connections and records each answer. Throws nothing of SMTP. */
export async function sendMany(options: SendManyOptions): Promise<SendManyResult> {
  const outcomes: MailOutcome[] = [];
  const queue = iteratorOf(options.mails);
  const started = performance.now();

  const work = async () => {
    const connection = connectMail(options.port);
    for (let next = await queue.next(); !next.done; next = await queue.next()) {
      const mail = { ...next.value, messageId: next.value.messageId ?? newMessageId() };
      const outcome = await sendUntilSettled(mail, () => connection.send(mail), options);
      outcomes.push(outcome);
      options.onOutcome?.(outcome);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: options.connections ?? 4 }, work));

  const elapsedMs = performance.now() - started;
  const accepted = outcomes.filter((outcome) => outcome.code === 250);
  return {
    accepted,
    others: outcomes.filter((outcome) => outcome.code !== 250),
    elapsedMs,
    perSecond: accepted.length / (elapsedMs / 1000),
    latencyMs: percentiles(accepted.flatMap((outcome) => outcome.attempts.at(-1)?.ms ?? [])),
  };
}

function iteratorOf(mails: SendManyOptions['mails']): Iterator<MailToSend> | AsyncIterator<MailToSend> {
  return Symbol.asyncIterator in mails ? mails[Symbol.asyncIterator]() : mails[Symbol.iterator]();
}

async function sendUntilSettled(
  mail: MailOutcome['mail'],
  send: () => Promise<SmtpAnswer>,
  options: SendManyOptions,
): Promise<MailOutcome> {
  const giveUpAt = performance.now() + (options.retryForMs ?? 0);
  const attempts: MailOutcome['attempts'] = [];
  for (;;) {
    const began = performance.now();
    const { code, text } = await send().catch((error: Error) => ({ code: 0, text: error.message }));
    attempts.push({ code, ms: performance.now() - began });
    const settled = (code >= 200 && code < 300) || code >= 500;
    if (settled || performance.now() >= giveUpAt) return { mail, code, text, attempts };
    await sleep(options.retryEveryMs ?? 200);
  }
}

function percentiles(values: number[]): SendManyResult['latencyMs'] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

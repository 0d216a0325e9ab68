import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer, type SMTPServerAddress, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Core } from '../../core/core.ts';
import { type Alias, findAlias } from './find-alias.ts';
import { oneAtATime } from './guest-limit.ts';
import type { ListenAddress } from './listen-address.ts';
import { receiveMail } from './receive-mail.ts';
import { SmtpReply, tryAgain } from './smtp-reply.ts';
import type { VerifyOptions } from './verify-sender.ts';

/** The largest mail that is taken, in bytes: what large providers take (Gmail, 25 MB). */
export const largestMail = 25_000_000;
/** Mails being read lie in memory, and reading one takes about four times its size. */
const mostHeld = 100_000_000;
const mostConnections = 50;
const mostRecipients = 100;
/** A client that has not sent all of its mail by then keeps it. */
const stopWithinMs = 10_000;

/** The SMTP listener at work. */
export interface SmtpListener {
  address: ListenAddress;
  /** Listens no more, answers what is in progress, then hangs up. */
  stop(): Promise<void>;
}

/**
 * Listens for mail. A mail is answered 250 only after all of it is committed, 451 when it could not be stored, 550 for an
 * unknown recipient, 552 when it is too large, 554 when it is no mail.
 *
 * @throws the system's error (EADDRINUSE, EACCES, …) when the address can't be listened on
 */
export async function startSmtpListener(
  core: Core,
  options: VerifyOptions & { listen: ListenAddress; name: string },
): Promise<SmtpListener> {
  // smtp-server hands over the same address object with the mail as with its RCPT command.
  const aliases = new WeakMap<SMTPServerAddress, Alias>();
  const receiving = new Set<Promise<void>>();
  const receiveOptions = { ...options, inTurn: oneAtATime() };
  let held = 0;
  let stopping = false;

  async function onRecipient(recipient: SMTPServerAddress): Promise<void> {
    const found = await findAlias(core.database, recipient.address);
    if (found.kind === 'elsewhere') {
      core.metrics.installationRefused('mail');
      throw new SmtpReply(550, '5.1.2 No such domain here');
    }
    if (found.kind === 'unknown') throw new SmtpReply(550, '5.1.1 No such address here');
    aliases.set(recipient, found.alias);
  }

  async function onMail(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const parts: Buffer[] = [];
    let holding = 0;
    let dropped = false;
    try {
      for await (const part of stream as AsyncIterable<Buffer>) {
        dropped ||= stream.sizeExceeded || held + part.length > mostHeld;
        // What is refused is still read to its end: only then may it be answered.
        const growth = dropped ? -holding : part.length;
        if (dropped) parts.length = 0;
        else parts.push(part);
        holding += growth;
        held += growth;
      }
      if (stream.sizeExceeded) throw new SmtpReply(552, '5.3.4 This mail is too large');
      if (dropped) throw new SmtpReply(452, '4.3.1 Too much mail at once: try again later');
      const raw = Buffer.concat(parts);
      await receiveMail(core, { raw, ...envelopeOf(session), aliases: aliasesOf(session) }, receiveOptions);
    } finally {
      held -= holding;
    }
  }

  function aliasesOf(session: SMTPServerSession): Alias[] {
    const found = session.envelope.rcptTo.map((recipient) => aliases.get(recipient));
    if (found.some((alias) => alias === undefined)) throw new Error('a recipient was accepted without its alias');
    return found.filter((alias) => alias !== undefined);
  }

  function answering(work: Promise<void>, callback: (error?: Error | null) => void): void {
    const done = work
      .then(
        () => callback(),
        (error: unknown) => {
          const reply = tryAgain(error);
          logRefusal(core, reply);
          callback(reply);
        },
      )
      .finally(() => receiving.delete(done));
    receiving.add(done);
  }

  const server = new SMTPServer({
    name: options.name,
    banner: 'Switchboard',
    size: largestMail,
    logger: false,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    maxClients: mostConnections,
    maxRecipients: mostRecipients,
    socketTimeout: 60_000,
    closeTimeout: 1,
    onMailFrom: (_sender, _session, callback) =>
      callback(stopping ? new SmtpReply(421, '4.3.2 Shutting down: try again later') : null),
    onRcptTo: (recipient, _session, callback) => answering(onRecipient(recipient), callback),
    onData: (stream, session, callback) => answering(onMail(stream, session), callback),
  });
  const listening = Promise.withResolvers<void>();
  server.on('error', (error) => {
    listening.reject(error);
    // A client that hung up in mid-sentence keeps its mail.
    core.log.debug({ err: error }, 'an SMTP connection failed');
  });
  server.listen(options.listen.port, options.listen.host, listening.resolve);
  await listening.promise;
  const { address, port } = server.server.address() as AddressInfo;

  return {
    address: { host: address, port },
    async stop() {
      stopping = true;
      const closed = once(server, 'close');
      server.server.close();
      const deadline = sleep(stopWithinMs, undefined, { ref: false }).then(() => true);
      while (receiving.size > 0)
        if (await Promise.race([deadline, Promise.allSettled(receiving).then(() => false)])) break;
      server.close();
      await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
    },
  };
}

function logRefusal(core: Core, reply: SmtpReply): void {
  if (reply.cause instanceof Error && 'code' in reply.cause && reply.cause.code === 'ECONNECTION')
    core.log.debug('a client hung up in the middle of a mail: it keeps it');
  else if (reply.responseCode < 500)
    core.log.error({ err: reply.cause ?? reply }, 'a mail was not stored: its sender keeps it');
  // Everybody tries unknown addresses all day long.
  else
    core.log[reply.responseCode === 550 ? 'debug' : 'info']({ code: reply.responseCode }, `refused: ${reply.message}`);
}

function envelopeOf(session: SMTPServerSession): { peer: string; helo: string; envelopeFrom: string } {
  const { mailFrom } = session.envelope;
  return {
    peer: session.remoteAddress,
    helo: session.hostNameAppearsAs || '',
    envelopeFrom: mailFrom ? mailFrom.address : '',
  };
}

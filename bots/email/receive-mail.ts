import type { Core } from '../../core/core.ts';
import type { ThreadId } from '../../core/store/ids.ts';
import { type Received, receive } from '../../core/streams/receive.ts';
import { cutQuotedHistory, isForward } from './cut-quoted-history.ts';
import { whyAutomatic } from './detect-automatic.ts';
import { type Alias, findAlias } from './find-alias.ts';
import { findThread } from './find-thread.ts';
import { guestLimitReached, tellGuestLimit } from './guest-limit.ts';
import { domainOf } from './mail-address.ts';
import { mailExtra } from './mail-extra.ts';
import { boundedChain } from './message-ids.ts';
import { type MailContent, parseMail } from './parse-mail.ts';
import { type MailSender, senderOf } from './sender-of.ts';
import { SmtpReply } from './smtp-reply.ts';
import { type ArrivedMail, type VerifyOptions, verifySender } from './verify-sender.ts';

/** How mail is received. */
export interface ReceiveOptions extends VerifyOptions {
  /** Runs the receiving of guests' mail one after the other, so that their limit is counted right. */
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A mail that has been read, and what was found out about it. */
interface ReadMail {
  content: MailContent;
  sender: MailSender;
  automatic: string | undefined;
}

/**
 * Receives one mail for each of its aliases: verify, map, decide, store. When it returns, all of it is committed; if it throws,
 * some aliases may have it, and the same mail delivered again adds only what is missing.
 *
 * @throws SmtpReply with 5xx when no mail can be made of it; anything else means that it was not stored
 */
export async function receiveMail(
  core: Core,
  mail: ArrivedMail & { aliases: readonly Alias[] },
  options: ReceiveOptions,
): Promise<void> {
  const verification = await verifySender(mail, options);
  const content = await parseMail(mail.raw).catch((cause) => {
    throw new SmtpReply(554, '5.6.0 This is no mail that can be read', { cause });
  });
  const sender = senderOf(content, verification, mail.envelopeFrom);
  if (!sender) throw new SmtpReply(554, '5.6.0 There is no address in From: nobody to answer');
  const automatic =
    whyAutomatic(content, mail.envelopeFrom) ??
    ((await isOurs(core, sender, mail.aliases)) ? 'from ourselves' : undefined);
  for (const alias of onePerBinding(mail.aliases))
    await receiveFor(core, alias, { content, sender, automatic }, options);
}

async function receiveFor(core: Core, alias: Alias, mail: ReadMail, options: ReceiveOptions): Promise<void> {
  const { content, sender, automatic } = mail;
  const isGuest = !sender.verified && !automatic;
  const work = async () => {
    const limit = isGuest ? await guestLimitReached(core, alias, sender.externalId) : 'none';
    const thread = await findThread(core.database, alias, sender, content);
    const received = await store(core, alias, mail, thread, limit !== 'none');
    const { event, duplicate } = received.appended;
    core.log.info(
      { organisation: alias.organisation, event, thread: received.appended.thread, messageId: content.messageId },
      duplicate ? 'a mail came again' : 'a mail was stored',
    );
    if (automatic) core.log.debug({ event, why: automatic }, 'it is automatic: it wakes nobody');
    if (limit === 'none' || duplicate) return;
    core.log.warn(
      { organisation: alias.organisation, event, limit },
      'a guest is over the hourly limit: nobody is woken',
    );
    if (limit === 'each') await tellLimit(core, alias, received);
  };
  await (isGuest ? options.inTurn(work) : work());
}

async function store(
  core: Core,
  alias: Alias,
  mail: ReadMail,
  thread: ThreadId | undefined,
  overLimit: boolean,
): Promise<Received> {
  const { content, sender, automatic } = mail;
  const { body, cut } = cutQuotedHistory(content.text, { forwarded: isForward(content.subject) });
  const references = content.references.length > 0 ? content.references : content.inReplyTo;
  return await receive(core, {
    organisation: alias.organisation,
    binding: { id: alias.binding, stream: alias.stream },
    sender,
    message: {
      from: content.from[0]?.address ?? sender.replyTo,
      to: content.to.map((mailbox) => mailbox.address),
      subject: content.subject,
      body,
      attachments: content.attachments,
      messageId: content.messageId,
      inReplyTo: content.inReplyTo[0] ?? null,
      extra: mailExtra({
        replyTo: sender.replyTo,
        ...(references.length > 0 ? { references: boundedChain(references) } : {}),
        ...(sender.verified ? { verified: true } : {}),
        ...(automatic ? { automatic } : {}),
        ...(content.cc.length > 0 ? { cc: content.cc.map((mailbox) => mailbox.address) } : {}),
        ...(cut ? { cut: true } : {}),
      }),
    },
    receipts: [content.messageId],
    ...(thread ? { thread } : { threadPlace: content.messageId }),
    // In a Thread whoever takes part; a new one is with the Worker behind the alias.
    ...(thread || !alias.defaultWorker ? {} : { addressed: [alias.defaultWorker] }),
    ...(automatic || overLimit ? { silent: true } : {}),
  });
}

/** The mail is stored already: that its sender could not be told is no reason to have it sent again. */
async function tellLimit(core: Core, alias: Alias, received: Received): Promise<void> {
  try {
    await tellGuestLimit(core, { ...alias, thread: received.appended.thread, sender: received.sender });
  } catch (err) {
    core.log.warn({ err, event: received.appended.event }, 'the sender could not be told of the limit');
  }
}

/** An answer to it would come back to us. */
async function isOurs(core: Core, sender: MailSender, aliases: readonly Alias[]): Promise<boolean> {
  const domain = domainOf(sender.replyTo);
  if (!aliases.some((alias) => domainOf(alias.address) === domain)) return false;
  return (await findAlias(core.database, sender.replyTo)).kind === 'alias';
}

/** `assistant@` and `assistant+t-1@` in one mail are one alias; a token counts wherever it is. */
function onePerBinding(aliases: readonly Alias[]): Alias[] {
  const found = new Map<string, Alias>();
  for (const alias of aliases) {
    const key = `${alias.organisation} ${alias.binding}`;
    const before = found.get(key);
    if (!before || (before.tag === undefined && alias.tag !== undefined)) found.set(key, alias);
  }
  return [...found.values()];
}

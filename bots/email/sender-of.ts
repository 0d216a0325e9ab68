import type { MailContent } from './parse-mail.ts';
import type { Verification } from './verify-sender.ts';

/** Who a mail is taken to be from, and whom an answer goes to. */
export interface MailSender {
  /** `mail`: the From address is believed. `mail-unverified`: anybody could have written it. */
  platform: 'mail' | 'mail-unverified';
  /** The address that they are known by on that platform. */
  externalId: string;
  name: string;
  verified: boolean;
  /** Reply-To or From, alone. */
  replyTo: string;
}

/**
 * Decides who sent a mail. A verified sender is known by the From address. Everybody else is known by the address that the
 * answer goes to: who writes somebody else's address into From and their own into Reply-To is the one in Reply-To, and reads
 * nothing but what that one may read.
 *
 * @returns undefined when there is nobody to answer
 */
export function senderOf(
  content: MailContent,
  verification: Verification,
  envelopeFrom: string | undefined,
): MailSender | undefined {
  const [author] = content.from;
  const [replyTo] = content.replyTo;
  const answer = replyTo?.address ?? author?.address ?? envelopeFrom;
  if (!answer) return undefined;
  if (author && isBelieved(content, author.address, verification))
    return { platform: 'mail', externalId: author.address, name: author.name, verified: true, replyTo: answer };
  const name = author?.address === answer ? author.name : (replyTo?.name ?? '');
  return { platform: 'mail-unverified', externalId: answer, name, verified: false, replyTo: answer };
}

/** One From field with one author; and of Reply-To nothing that may have been added on the way. */
function isBelieved(content: MailContent, author: string, verification: Verification): boolean {
  if (!verification || content.from.length !== 1 || content.header('from').length !== 1) return false;
  if (content.header('reply-to').length > 1) return false;
  if (verification.by === 'relay') return true;
  return verification.address === author && (content.header('reply-to').length === 0 || verification.coversReplyTo);
}

import type { SendMailOptions } from 'nodemailer';
import type { OutgoingDelivery } from '../../core/delivery/door.ts';
import type { Event } from '../../core/streams/message.ts';
import { cleanLine } from './clean-text.ts';
import type { Route } from './find-route.ts';
import { messageIdOfDelivery, referencesFor } from './message-ids.ts';

/**
 * An outgoing mail. It is the same at every attempt of its Delivery, Message-ID and Date included, so that a server or a reader
 * recognises one that was sent twice. It is marked as automatic (RFC 3834 §5), so that no machine answers it, and Reply-To
 * carries the Thread's token beside the alias, for mail programs that drop In-Reply-To.
 */
export function composeMail(delivery: OutgoingDelivery, event: Event, route: Route): SendMailOptions {
  const { parent, domain } = route;
  const alias = delivery.binding.externalId;
  const from = { name: cleanLine(route.name, 100), address: `${alias}@${domain}` };
  return {
    from,
    replyTo: { name: from.name, address: `${alias}+${delivery.thread}@${domain}` },
    to: route.to,
    // Without the token: what comes back undelivered is no answer in the Thread.
    envelope: { from: from.address, to: route.to },
    subject: parent ? replySubject(event.subject || parent.subject) : newSubject(event),
    messageId: messageIdOfDelivery(delivery.id, domain),
    date: event.createdAt,
    ...(parent?.messageId
      ? {
          inReplyTo: parent.messageId,
          references: referencesFor({ references: parent.references, messageId: parent.messageId }),
        }
      : {}),
    headers: {
      'Auto-Submitted': parent ? 'auto-replied' : 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    text: [delivery.text.trim(), filesOf(event)].filter((part) => part !== '').join('\n\n'),
    // Lines of any length arrive whole: RFC 5321 allows 998 octets in one.
    encoding: 'quoted-printable',
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** `Re: ` before a subject that has none, in whatever language of mail programs. */
export function replySubject(subject: string): string {
  const line = cleanLine(subject, 900);
  const replied =
    /^(re|aw|antw|antwort|sv|vs|ref|rif|res|rés|odp|ynt|vá|атн|ha|回复|回覆|答复|返信)\s*(\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:：]/iu;
  return replied.test(line) ? line : `Re: ${line}`.trim();
}

/** The first line of the text where nobody gave a subject. */
function newSubject(event: Event): string {
  const own = cleanLine(event.subject, 900);
  if (own !== '') return own;
  const first = event.body.split('\n').find((line) => line.trim() !== '') ?? '';
  const line = cleanLine(first.replace(/^#+\s*/, ''), 200);
  return line.length <= 78 ? line : `${line.slice(0, 77).trimEnd()}…`;
}

/** Files are not copied into the mail: where each lies is said below the text. */
function filesOf(event: Event): string {
  return event.attachments.map((file) => `${file.name}: ${file.url || '(cannot be sent by mail)'}`).join('\n');
}

import type { SendMailOptions } from 'nodemailer';
import type { DesktopCard, OutgoingDelivery } from '../../core/delivery/door.ts';
import type { Event } from '../../core/streams/message.ts';
import { attachFiles } from './attach-files.ts';
import { cleanLine } from './clean-text.ts';
import { composeDesktop } from './compose-desktop.ts';
import type { Route } from './find-route.ts';
import { messageIdOfDelivery, referencesFor } from './message-ids.ts';

/**
 * An outgoing mail. It is the same at every attempt of its Delivery, Message-ID and Date included (but for the links to a Desktop,
 * which are signed anew), so that a server or a reader recognises one that was sent twice. It is marked as automatic (RFC 3834 §5), so that no machine answers it, and Reply-To
 * carries the Thread's token beside the alias, for mail programs that drop In-Reply-To.
 */
export function composeMail(delivery: OutgoingDelivery, event: Event, route: Route): SendMailOptions {
  const { parent, domain } = route;
  const alias = delivery.binding.externalId;
  const { text, html, attachments } = contentOf(delivery, event, route);
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
    text,
    ...(html ? { html } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
    // Lines of any length arrive whole: RFC 5321 allows 998 octets in one.
    encoding: 'quoted-printable',
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** The text, and where there is a Desktop to show, the same as HTML with its picture. */
function contentOf(
  delivery: OutgoingDelivery,
  event: Event,
  { to, domain }: Route,
): { text: string; html?: string; attachments: NonNullable<SendMailOptions['attachments']> } {
  const { attachments, leftOut } = attachFiles(delivery.files ?? []);
  const said = joined([delivery.text.trim(), elsewhere(event), leftOut.join('\n')]);
  if (!delivery.card) return { text: said, attachments };
  const still = `still.${delivery.id}@${domain}`;
  const { text, html, picture } = composeDesktop(forReaders(delivery.card, to), said, still);
  if (picture)
    attachments.push({
      filename: 'desktop.jpg',
      contentType: 'image/jpeg',
      content: picture,
      cid: still,
      contentDisposition: 'inline',
    });
  return { text: joined([said, text]), html, attachments };
}

/** What opens a Desktop to control is one person's: a mail to several has no such link, whoever made it. */
function forReaders(card: DesktopCard, to: readonly string[]): DesktopCard {
  if (to.length === 1 || card.controlUrl === undefined) return card;
  const { controlUrl: _, ...rest } = card;
  return { ...rest, offersControl: true };
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
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

/** Files that lie elsewhere are not copied into the mail: where each lies is said below the text. */
function elsewhere(event: Event): string {
  return event.attachments.map((file) => `${file.name}: ${file.url || '(cannot be sent by mail)'}`).join('\n');
}

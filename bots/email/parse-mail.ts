import { type AddressObject, type EmailAddress, simpleParser } from 'mailparser';
import type { Attachment } from '../../core/streams/message.ts';
import { cleanLine, cleanText } from './clean-text.ts';
import { normaliseAddress } from './mail-address.ts';
import { messageIdOf, messageIdsIn } from './message-ids.ts';
import { readHtml } from './read-html.ts';

/** Somebody in a header. */
export interface Mailbox {
  /** In the form of {@link normaliseAddress}. */
  address: string;
  name: string;
}

/** What a mail says, whatever it claims: nothing of it is verified. */
export interface MailContent {
  messageId: string;
  inReplyTo: string[];
  references: string[];
  from: Mailbox[];
  replyTo: Mailbox[];
  to: Mailbox[];
  cc: Mailbox[];
  subject: string;
  /** The whole text, quoted history included. */
  text: string;
  attachments: Attachment[];
  /** The values of a header, unfolded, by its lower-case name. */
  header(name: string): string[];
}

/** No more of one mail is stored: a text of this many characters fills several books. */
const longestText = 1_000_000;
const mostAttachments = 100;
const mostReferences = 100;

/**
 * Reads a mail. A charset that does not exist, bytes that are none in theirs, broken MIME: whatever can be read is.
 *
 * @throws Error when there is nothing to be made of it (headers of megabytes, for instance)
 */
export async function parseMail(raw: Buffer): Promise<MailContent> {
  const mail = await simpleParser(raw, {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
    maxHtmlLengthToParse: longestText,
  });
  const header = (name: string) =>
    mail.headerLines
      .filter((line) => line.key === name)
      .map((line) => line.line.slice(line.line.indexOf(':') + 1).replace(/\r?\n[ \t]/g, ' '))
      .map((value) => value.trim());
  return {
    messageId: messageIdOf(header('message-id')[0], raw),
    inReplyTo: messageIdsIn(header('in-reply-to').join(' ')).slice(0, mostReferences),
    references: messageIdsIn(header('references').join(' ')).slice(-mostReferences),
    from: mailboxes(mail.from),
    replyTo: mailboxes(mail.replyTo),
    to: mailboxes(mail.to),
    cc: mailboxes(mail.cc),
    subject: cleanLine(mail.subject ?? '', 998),
    text: cleanText(textOf(mail, raw).replaceAll('\r\n', '\n'), longestText),
    attachments: mail.attachments.slice(0, mostAttachments).map((attachment) => ({
      name: cleanLine(attachment.filename ?? '', 255) || 'unnamed',
      type: cleanLine(attachment.contentType, 127),
      size: attachment.size,
      url: '',
    })),
    header,
  };
}

/**
 * The plain text where there is one beside the HTML; else the HTML as text, and after it what plain text came with it in parts
 * of its own, such as the footer of a list.
 */
function textOf(mail: { text?: string; html: string | false }, raw: Buffer): string {
  const text = mail.text ?? '';
  if (!mail.html) return text;
  if (text.trim() !== '' && hasAlternatives(raw)) return text;
  return [readHtml(mail.html), text.trim()].filter((part) => part !== '').join('\n\n');
}

function hasAlternatives(raw: Buffer): boolean {
  return /multipart\/alternative/i.test(raw.toString('latin1'));
}

function mailboxes(field: AddressObject | AddressObject[] | undefined): Mailbox[] {
  const found = new Map<string, Mailbox>();
  const add = (entry: EmailAddress) => {
    const address = normaliseAddress(entry.address);
    if (address && !found.has(address)) found.set(address, { address, name: cleanLine(entry.name, 200) });
    for (const member of entry.group ?? []) add(member);
  };
  for (const entry of [field ?? []].flat().flatMap((object) => object.value)) add(entry);
  return [...found.values()].slice(0, 200);
}

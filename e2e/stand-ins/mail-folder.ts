import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { SunkMail } from './sunk-mail.ts';

const IndexLine = z.object({
  file: z.string(),
  messageId: z.string().optional(),
  inReplyTo: z.string().optional(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  autoSubmitted: z.string().optional(),
  receivedAt: z.iso.datetime(),
  problems: z.array(z.string()),
});

/** One line of a mail folder's `messages.jsonl`; `file` is the mail itself, beside it. */
export type IndexedMail = z.infer<typeof IndexLine>;

/**
 * Writes mails into a folder as `001.eml`, `002.eml`, … with a line each in `messages.jsonl`. Both are on disk when the
 * returned function returns. A folder that has mails is continued.
 */
export function writeMailsTo(folder: string): (mail: SunkMail) => void {
  mkdirSync(folder, { recursive: true });
  let count = readMailFolder(folder).length;
  return (mail) => {
    count += 1;
    const line: IndexedMail = {
      file: `${String(count).padStart(3, '0')}.eml`,
      messageId: mail.messageId,
      inReplyTo: mail.inReplyTo,
      from: mail.from,
      to: mail.to,
      subject: mail.subject,
      autoSubmitted: mail.autoSubmitted,
      receivedAt: mail.receivedAt.toISOString(),
      problems: mail.problems,
    };
    writeFileSync(join(folder, line.file), mail.raw, { flush: true });
    appendFileSync(indexOf(folder), `${JSON.stringify(line)}\n`, { flush: true });
  };
}

/** The mails written to a folder so far, oldest first; a line cut short by a crash of the writer is not one yet. */
export function readMailFolder(folder: string): IndexedMail[] {
  if (!existsSync(indexOf(folder))) return [];
  const lines = readFileSync(indexOf(folder), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => IndexLine.parse(JSON.parse(line)));
}

function indexOf(folder: string): string {
  return join(folder, 'messages.jsonl');
}

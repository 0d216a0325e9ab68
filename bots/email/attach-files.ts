import type { SendMailOptions } from 'nodemailer';
import type { OutgoingFile } from '../../core/delivery/door.ts';
import { cleanLine } from './clean-text.ts';

/** Of all files of a mail together, in bytes. Servers take 10 MB and more; base64 makes a third more of it. */
const bytesAtMost = 10 * 1024 * 1024;

/** The files that go with a mail, and a line for each that is too large for one. */
export interface AttachedFiles {
  attachments: NonNullable<SendMailOptions['attachments']>;
  leftOut: string[];
}

/** Attaches files in their order, as long as there is room. */
export function attachFiles(files: readonly OutgoingFile[]): AttachedFiles {
  const attached: AttachedFiles = { attachments: [], leftOut: [] };
  let room = bytesAtMost;
  for (const { name, type, data, url } of files) {
    const filename = cleanLine(name, 200) || 'file';
    if (data.length > room) {
      const where = url ? `: for a day at most it is at\n${url}` : '';
      attached.leftOut.push(`${filename}: too large for a mail (${megabytes(data.length)} MB)${where}`);
      continue;
    }
    room -= data.length;
    attached.attachments.push({ filename, contentType: type, content: data, contentDisposition: 'attachment' });
  }
  return attached;
}

function megabytes(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(1);
}

import type { FileId } from '../store/ids.ts';
import type { Attachment } from '../streams/message.ts';

/** What the address of a file of ours begins with, in an Event's attachments. */
const scheme = 'file:';

/** How an Event's attachments name a file of ours. */
export function addressOf(file: FileId): string {
  return `${scheme}${file}`;
}

/** Whether an attachment is a file of ours: it is sent along, and its address means nothing outside. */
export function isStoredFile({ url }: Attachment): boolean {
  return url.startsWith(scheme);
}

/** The ids of the files of ours among attachments, in their order. */
export function storedFiles(attachments: readonly Attachment[]): FileId[] {
  return attachments.filter(isStoredFile).map(({ url }) => url.slice(scheme.length) as FileId);
}

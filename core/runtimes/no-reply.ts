/** A final text that is exactly this posts nothing (design rule 10). */
export const noReply = 'NO_REPLY';

/** False while a growing text may still become {@link noReply}: shown too early, it could not be taken back. */
export function mayBeShown(text: string): boolean {
  return !noReply.startsWith(text.trim());
}

import type { MailContent } from './parse-mail.ts';

/**
 * Why a mail counts as written by a machine, or undefined for a person's. Such mail wakes nobody and is never answered, or two
 * machines would write to each other for ever (RFC 3834 §2; RFC 2919 and 2369 for lists; [MS-OXCMAIL] 2.2.3.2.14 for
 * X-Auto-Response-Suppress).
 *
 * @param envelopeFrom MAIL FROM; empty for the null sender
 */
export function whyAutomatic(content: MailContent, envelopeFrom: string): string | undefined {
  const first = (name: string) => content.header(name)[0]?.toLowerCase();
  const word = (name: string) => /^[\w-]+/.exec(first(name) ?? '')?.[0];

  const autoSubmitted = word('auto-submitted');
  if (autoSubmitted && autoSubmitted !== 'no') return `Auto-Submitted: ${autoSubmitted}`;
  const precedence = word('precedence');
  if (precedence && /^(bulk|junk|list|auto_reply)$/.test(precedence)) return `Precedence: ${precedence}`;
  for (const name of ['list-id', 'list-unsubscribe', 'x-autoreply', 'x-autorespond', 'x-auto-reply-from'])
    if (first(name)) return name;
  if (/\b(all|oof|autoreply)\b/.test(first('x-auto-response-suppress') ?? '')) return 'x-auto-response-suppress';
  if (envelopeFrom === '') return 'null sender';
  if (first('content-type')?.startsWith('multipart/report')) return 'multipart/report';
  const author = content.from[0]?.address ?? envelopeFrom.toLowerCase();
  if (/^(mailer-daemon|postmaster)@/.test(author)) return 'from a mail system';
  return undefined;
}

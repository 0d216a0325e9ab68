import { z } from 'zod';

/** What the mail door keeps of a mail in its Event's `extra.mail`, for answering it. */
export const MailExtra = z.object({
  /** Whom an answer goes to: Reply-To or From, alone. */
  replyTo: z.string(),
  /** The References of an answer, but for this mail's own Message-ID. Left out when empty. */
  references: z.array(z.string()).default([]),
  /** The From address is believed. Left out when it is not. */
  verified: z.boolean().default(false),
  /** Why it counts as written by a machine. Such mail is never answered. */
  automatic: z.string().optional(),
  /** Who got a copy. */
  cc: z.array(z.string()).optional(),
  /** Quoted history or a signature was left out of the body. */
  cut: z.boolean().optional(),
});

/** As it is read back. */
export type MailExtra = z.output<typeof MailExtra>;

/** As it is written, with `mail` as its place in `extra`. */
export function mailExtra(extra: z.input<typeof MailExtra>): { mail: z.input<typeof MailExtra> } {
  return { mail: extra };
}

import type { MailSink } from '../stand-ins/mail-sink.ts';
import type { SunkMail } from '../stand-ins/sunk-mail.ts';
import { newMessageId } from './send-mail.ts';
import { runSwaks } from './swaks.ts';

/** A house that takes and sends mail. */
export type MailHouse = {
  sink: Pick<MailSink, 'waitFor'>;
  core(): { smtpPort: number };
  /** `npx switchboard <args>`: the value it prints. */
  switchboard(...args: string[]): Promise<string>;
};

/** Settings of a house whose relay vouches for its senders, so that a person can be known by mail. */
export const trustedRelay = { MAIL_TRUSTED_RELAYS: '127.0.0.1' };

/** The links of a mail that shows a Desktop, in their order; each with its token behind the `#`. */
export function linksOf(mail: SunkMail): string[] {
  return mail.text.match(/https?:\/\/[^\s>)\]]+\/d\/[^\s>)\]]+/g) ?? [];
}

/** Sends a mail to the assistant with swaks, and waits for its answer. Throws an Error with the dialogue when it was not taken. */
export async function ask(house: MailHouse, from: string, body: string): Promise<SunkMail> {
  const messageId = newMessageId();
  const port = String(house.core().smtpPort);
  const { exitCode, output } = await runSwaks([
    ...['--server', '127.0.0.1', '--port', port, '--from', from, '--to', 'assistant@localhost'],
    ...['--header', `Message-Id: ${messageId}`, '--header', 'Subject: Desktop', '--body', body],
  ]);
  if (exitCode !== 0) throw new Error(output);
  return await house.sink.waitFor((mail) => mail.inReplyTo === messageId, 60_000);
}

/** The person is known as the owner from here on. */
export async function pair(house: MailHouse, person: string): Promise<void> {
  const answer = await ask(house, person, await house.switchboard('pair'));
  if (!answer.text.includes('linked')) throw new Error(`pairing failed: ${answer.text}`);
}

import type { PrivateAnswer } from '../../core/delivery/door.ts';
import { PermanentFailure } from '../../core/dispatch/failure.ts';
import type { Executor } from '../../core/store/database.ts';
import type { BotFramework, ConversationAddress } from './bot-framework.ts';
import { composePrivate } from './compose-messages.ts';
import { findPersonalChat } from './find-personal-chat.ts';

/** Said where others read along: nothing in it opens anything. */
const openAChatFirst =
  'I can tell you this only in a chat of ours, and there is none that Teams lets me write to. Open one (*Apps*, find me, *Chat*), say hello there, and then ask here again.';

/**
 * Tells one person something. Teams has no message in a shared place that one person alone sees, so it goes to the personal chat of
 * that person and the bot. Where there can be none, the shared place is told what to do; what was to be told stays untold.
 *
 * @param shared where it was asked for
 * @param isPersonal that place is a personal chat already
 * @param leftOut told why a Desktop goes without its picture
 */
export async function tellAlone(
  { bot, database }: { bot: BotFramework; database: Executor },
  shared: ConversationAddress,
  isPersonal: boolean,
  answer: PrivateAnswer,
  leftOut: (why: unknown) => void,
): Promise<void> {
  const messages = await composePrivate(answer.text, answer.card, leftOut);
  try {
    const chat = isPersonal
      ? shared
      : ((await findPersonalChat(database, answer)) ?? {
          ...shared,
          conversation: await bot.openPersonalChat(shared, idOf(answer.person)),
        });
    for (const message of messages) await bot.post(chat, message);
  } catch (error) {
    if (isPersonal || !(error instanceof PermanentFailure)) throw error;
    await bot.post(shared, { text: openAChatFirst });
  }
}

/** An Identity is known by tenant and person. */
function idOf(person: string): string {
  return person.slice(person.indexOf(':') + 1);
}

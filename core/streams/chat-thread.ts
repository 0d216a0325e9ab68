import type { Executor } from '../store/database.ts';
import type { OrganisationId, ThreadId } from '../store/ids.ts';

/**
 * A chat without threads (a DM, a group chat) is one Thread until `new` or eight idle hours (design §1). Its Binding is the chat
 * itself, and the present Thread's place there is {@link chatPlace}. Ending the Thread moves it to a past place, so that the next
 * message makes a new one, and what is still said in the old one goes to the same chat.
 */
export const chatPlace = 'chat';

/** So long after its last Event a chat's Thread is over, in seconds. */
export const chatIdleSeconds = 8 * 3600;

/** True for the place of a chat's present Thread and of its past ones: what goes there goes to the chat, into no thread of it. */
export function isChatPlace(threadPlace: string): boolean {
  return threadPlace === chatPlace || threadPlace.startsWith(`${chatPlace}:`);
}

/** Ends the Thread at every chat where it is the present one. False: it is at none. */
export async function endChat(executor: Executor, organisation: OrganisationId, thread: ThreadId): Promise<boolean> {
  const rows = await executor.query(
    `update thread_binding set external_id = external_id || ':' || thread
     where organisation = $1 and thread = $2 and external_id = $3 returning 1`,
    [organisation, thread, chatPlace],
  );
  return rows.length > 0;
}

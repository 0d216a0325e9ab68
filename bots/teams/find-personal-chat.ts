import type { PrivateAnswer } from '../../core/delivery/door.ts';
import type { Executor } from '../../core/store/database.ts';
import { bindingConfig } from './binding-config.ts';
import type { ConversationAddress } from './bot-framework.ts';

/**
 * The personal chat of a person and the bot, if they have written there. Undefined: none is known here, which does
 * not mean that there is none.
 */
export async function findPersonalChat(
  executor: Executor,
  { organisation, person }: Pick<PrivateAnswer, 'organisation' | 'person'>,
): Promise<ConversationAddress | undefined> {
  const [chat] = await executor.query<{ conversation: string; config: unknown }>(
    `select b.external_id as conversation, b.config
     from identity i
       join participant p on p.organisation = i.organisation and p.worker = i.worker
       join thread_binding t on t.organisation = p.organisation and t.thread = p.thread
       join binding b on b.organisation = t.organisation and b.id = t.binding and b.kind = 'teams'
     where i.organisation = $1 and i.platform in ('teams', 'teams-anonymous') and i.external_id = $2
       and b.config->>'kind' = 'personal'
     order by b.created_at desc limit 1`,
    [organisation, person],
  );
  if (!chat) return undefined;
  const { serviceUrl, bot, tenant } = bindingConfig.parse(chat.config);
  return { serviceUrl, bot, tenant, conversation: chat.conversation };
}

import type { Core } from '../core.ts';
import { cancelThread } from '../dispatch/cancel.ts';
import type { OrganisationId, ThreadId } from '../store/ids.ts';
import { endChat } from './chat-thread.ts';

/** A command about the thread it is said in. It takes no argument, and everybody who takes part may give it. */
export interface ThreadCommand {
  name: string;
  description: string;
  /** Does it, and says what was done in one sentence. */
  run(core: Core, organisation: OrganisationId, thread: ThreadId): Promise<string>;
}

/** What people may tell a thread, in whatever door. */
export const threadCommands: readonly ThreadCommand[] = [
  {
    name: 'stop',
    description: 'end what the agents do in this thread',
    async run(core, organisation, thread) {
      const { activations, triggers } = await cancelThread(core, organisation, thread);
      return activations + triggers > 0 ? 'Stopped.' : 'Nothing was running here.';
    },
  },
  {
    name: 'mute',
    description: 'agents stay quiet in this thread until `unmute`',
    async run(core, organisation, thread) {
      await core.database.query(
        'update thread set muted_at = coalesce(muted_at, now()) where organisation = $1 and id = $2',
        [organisation, thread],
      );
      return 'Muted: I read along and say nothing until you say `unmute`.';
    },
  },
  {
    name: 'unmute',
    description: 'agents answer in this thread again',
    async run(core, organisation, thread) {
      await core.database.query('update thread set muted_at = null where organisation = $1 and id = $2', [
        organisation,
        thread,
      ]);
      return 'I answer here again.';
    },
  },
  {
    name: 'new',
    description: 'end this conversation; what comes next begins a new one',
    async run(core, organisation, thread) {
      if (await endChat(core.database, organisation, thread))
        return 'Done. What you say next begins a new conversation.';
      return 'This thread is one conversation, and stays it: begin another thread for a new one.';
    },
  },
];

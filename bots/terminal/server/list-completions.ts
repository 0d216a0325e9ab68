import type { Core } from '../../../core/core.ts';
import { visiblePrompts } from '../../../core/prompts/index.ts';
import { threadCommands } from '../../../core/streams/thread-commands.ts';
import type { Completions, Named } from '../wire.ts';
import type { Caller } from './authenticate.ts';

/** What a person may begin a line with: the commands, and the names of the AI Workers. */
export async function listCompletions(core: Core, caller: Caller): Promise<Completions> {
  const workers = await core.database.query<Named>(
    `select id, name from worker where organisation = $1 and kind = 'ai' and dismissed_at is null order by name, id limit 500`,
    [caller.organisation],
  );
  const prompts = await visiblePrompts(core.database, caller.organisation, caller.worker);
  return {
    me: { id: caller.worker, name: caller.name },
    commands: [...prompts, ...threadCommands].map(({ name, description }) => ({ name, description })),
    workers,
  };
}

import { grantedTools } from '../organisation/grants.ts';
import type { Executor } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { clip } from './clip.ts';
import { control } from './control.ts';
import { desktop } from './desktop.ts';
import { help } from './help.ts';
import { hire } from './hire.ts';
import { log } from './log.ts';
import type { Prompt } from './prompt.ts';
import { role } from './role.ts';
import { wall } from './wall.ts';
import { who } from './who.ts';

/** Every prompt, in the order of the help. */
export const allPrompts: readonly Prompt[] = [help, who, log, role, hire, desktop, control, wall, clip];

/** The prompts that a Worker may use: a prompt is visible only with the tool that it needs. */
export async function visiblePrompts(
  executor: Executor,
  organisation: OrganisationId,
  worker: WorkerId,
): Promise<Prompt[]> {
  const granted = new Set<string>(await grantedTools(executor, organisation, worker));
  return allPrompts.filter(({ needsTool }) => needsTool === undefined || granted.has(needsTool));
}

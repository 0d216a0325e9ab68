import { ForbiddenError, NotFoundError } from '../errors.ts';
import { lackingGrants } from '../organisation/grants.ts';
import type { WorkerId } from '../store/ids.ts';
import type { Tool, ToolContext } from './tool.ts';

/** A tool that isn't there, or isn't granted: whoever calls it cannot tell which. */
export class UnknownToolError extends NotFoundError {
  constructor(name: string) {
    super(`unknown tool "${name}": tools/list says which you have`);
  }
}

/**
 * Whether the call may happen at all, in one place for every tool: the Worker holds the Grant (now, not when it listed its tools);
 * and during an Activation so does everybody on whose behalf it changes the organisation (rule 11: no confused deputy), and
 * everybody who would read what only a Grant shows (rule 12).
 *
 * @throws UnknownToolError, ForbiddenError which says who lacks what.
 */
export async function requirePermission(context: ToolContext, tool: Tool): Promise<void> {
  const { core, organisation, worker, activation } = context;
  const lacking = await lackingGrants(core.database, organisation, [worker], [tool.name]);
  if (lacking.length > 0) throw new UnknownToolError(tool.name);
  if (!activation) return;
  if (tool.changesOrganisation) await requireBehalf(context, [tool.name]);
  if (tool.readersNeedGrant) {
    const blind = await lackingGrants(core.database, organisation, without(worker, activation.readers), [tool.name]);
    if (blind.length > 0)
      throw new ForbiddenError(
        `not shown: ${blind.join(', ')} would read your answer and may not see this (no grant of ${tool.name})`,
      );
  }
}

/**
 * Rule 11: during an Activation a Worker acts on behalf of those who made it run, and may not do for them what they may not do
 * themselves. Nothing is asked of a Worker that acts by itself.
 *
 * @throws ForbiddenError which says who lacks what.
 */
export async function requireBehalf(context: ToolContext, tools: readonly string[]): Promise<void> {
  const { core, organisation, worker, activation } = context;
  if (!activation) return;
  const { behalf } = activation;
  const needed = tools.join(', ');
  if (behalf.length === 0 || behalf.includes(null))
    throw new ForbiddenError(
      `not done: no person who holds ${needed} has asked for it. Somebody who does must ask you`,
    );
  const people = behalf.filter((asker) => asker !== null);
  const lacking = await lackingGrants(core.database, organisation, without(worker, people), tools);
  if (lacking.length > 0)
    throw new ForbiddenError(
      `not done: ${lacking.join(', ')} asked for it, or had a part in asking, without holding ${needed}. Say so, and that somebody who holds it must ask you alone`,
    );
}

/**
 * Nobody gives away what they do not hold: neither the Worker nor, during an Activation, those on whose behalf it acts.
 *
 * @throws ForbiddenError
 */
export async function requireMayGive(context: ToolContext, tools: readonly string[]): Promise<void> {
  if (tools.length === 0) return;
  const { core, organisation, worker } = context;
  for (const tool of new Set(tools)) {
    const lacking = await lackingGrants(core.database, organisation, [worker], [tool]);
    if (lacking.length > 0) throw new ForbiddenError(`you do not hold ${tool} yourself, so you cannot grant it`);
  }
  await requireBehalf(context, [...new Set(tools)]);
}

/** Who will see what a tool returns: the Worker and, during an Activation, everybody who reads its answer. */
export function readersOfAnswer(context: ToolContext): WorkerId[] {
  const { worker, activation } = context;
  return [worker, ...without(worker, activation?.readers ?? [])];
}

function without(worker: WorkerId, workers: readonly WorkerId[]): WorkerId[] {
  return workers.filter((other) => other !== worker);
}

import { grantTools } from '../organisation/grants.ts';
import { findWorker } from '../organisation/workers.ts';
import { requireMayGive } from './permission.ts';
import { exactly, listOf, oneOf, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { toolNames } from './tool-names.ts';

/** Gives a Worker tools. */
export const grant = defineTool({
  name: 'grant',
  description: 'Let a worker use tools. You can grant only what you hold yourself.',
  input: exactly({
    worker: workerReference().describe('id or name'),
    tools: listOf(oneOf('tool', toolNames), { min: 1, max: toolNames.length }),
  }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run(context, { worker, tools }) {
    const { core, organisation } = context;
    await requireMayGive(context, tools);
    const { id } = await findWorker(core.database, organisation, worker);
    const added = await grantTools(core.database, organisation, id, tools);
    return { worker: id, granted: added.sort(), heldAlready: tools.filter((tool) => !added.includes(tool)) };
  },
});

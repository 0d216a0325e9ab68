import { revokeTools } from '../organisation/grants.ts';
import { findWorker } from '../organisation/workers.ts';
import { exactly, listOf, oneOf, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { toolNames } from './tool-names.ts';

/** Takes tools from a Worker. */
export const revoke = defineTool({
  name: 'revoke',
  description: 'Take tools from a worker, at once. The last worker who may grant keeps that.',
  input: exactly({
    worker: workerReference().describe('id or name'),
    tools: listOf(oneOf('tool', toolNames), { min: 1, max: toolNames.length }),
  }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, { worker, tools }) {
    const { id } = await findWorker(core.database, organisation, worker);
    const revoked = await revokeTools(core.database, organisation, id, tools);
    return { worker: id, revoked, notHeld: tools.filter((tool) => !revoked.includes(tool)) };
  },
});

import { listGrants as list } from '../organisation/grants.ts';
import { findWorker } from '../organisation/workers.ts';
import { pageRequest, paging } from './paging.ts';
import { exactly, maybe, oneOf, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { toolNames } from './tool-names.ts';

/** Lists the Grants. */
export const listGrants = defineTool({
  name: 'list_grants',
  description: 'List who may use which tool, of everybody, of one worker, or of one tool.',
  input: exactly({
    worker: maybe(workerReference()).describe('id or name: only this one'),
    tool: maybe(oneOf('tool', toolNames)).describe('only this one'),
    ...paging,
  }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, { worker, tool, ...page }) {
    const found = worker ? await findWorker(core.database, organisation, worker) : undefined;
    const request = { ...pageRequest(page), worker: found?.id, tool };
    const { items, cursor } = await list(core.database, organisation, request);
    return { grants: items, cursor };
  },
});

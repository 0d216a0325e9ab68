import { listWorkers as list } from '../organisation/workers.ts';
import { pageRequest, paging } from './paging.ts';
import { readersOfAnswer } from './permission.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Lists the Workers that everybody who reads the answer may know of. */
export const listWorkers = defineTool({
  name: 'list_workers',
  description:
    'List the workers: people and AI agents, with the positions and roles they hold. Guests (people met by chance, by mail for instance) are among them only if you meet them in a thread or may hire.',
  input: exactly(paging),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, input) {
    const { core, organisation } = context;
    const { items, cursor } = await list(core.database, organisation, readersOfAnswer(context), pageRequest(input));
    return { workers: items, cursor };
  },
});

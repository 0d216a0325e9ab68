import { listPositions as list } from '../organisation/positions.ts';
import { pageRequest, paging } from './paging.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Lists the Positions. */
export const listPositions = defineTool({
  name: 'list_positions',
  description: 'List the positions: the role each holds, whom it reports to, and who sits in it.',
  input: exactly(paging),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, input) {
    const { items, cursor } = await list(core.database, organisation, pageRequest(input));
    return { positions: items, cursor };
  },
});

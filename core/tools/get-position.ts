import { getPosition as get } from '../organisation/positions.ts';
import { exactly, idOf } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Position. */
export const getPosition = defineTool({
  name: 'get_position',
  description: 'Read one position: its role, whom it reports to, and who sits in it.',
  input: exactly({ id: idOf('p', 'position') }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, { id }) {
    return { position: await get(core.database, organisation, id) };
  },
});

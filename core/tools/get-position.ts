import { getPosition as get } from '../organisation/positions.ts';
import { exactly, idOf, maybe, theId } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Position. */
export const getPosition = defineTool({
  name: 'get_position',
  description: 'Read one position: its role, whom it reports to, and who sits in it.',
  input: exactly({
    id: maybe(idOf('p', 'position')).describe('its id'),
    position: maybe(idOf('p', 'position')).describe('the same as id'),
  }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, { id, position }) {
    return { position: await get(core.database, organisation, theId(id, position)) };
  },
});

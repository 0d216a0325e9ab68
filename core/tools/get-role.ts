import { getRole as get } from '../organisation/roles.ts';
import { exactly, idOf, maybe, theId } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Role with its content. */
export const getRole = defineTool({
  name: 'get_role',
  description: 'Read one role: its title and its content.',
  input: exactly({
    id: maybe(idOf('r', 'role')).describe('its id'),
    role: maybe(idOf('r', 'role')).describe('the same as id'),
  }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, { id, role }) {
    return { role: await get(core.database, organisation, theId(id, role)) };
  },
});

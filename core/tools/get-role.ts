import { getRole as get } from '../organisation/roles.ts';
import { exactly, idOf } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Role with its content. */
export const getRole = defineTool({
  name: 'get_role',
  description: 'Read one role: its title and its content.',
  input: exactly({ id: idOf('r', 'role') }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, { id }) {
    return { role: await get(core.database, organisation, id) };
  },
});

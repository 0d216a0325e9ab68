import { listRoles as list } from '../organisation/roles.ts';
import { pageRequest, paging } from './paging.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Lists the Roles. */
export const listRoles = defineTool({
  name: 'list_roles',
  description: 'List the roles: ids and titles. get_role has the content.',
  input: exactly(paging),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, input) {
    const { items, cursor } = await list(core.database, organisation, pageRequest(input));
    return { roles: items, cursor };
  },
});

import { createRole as create } from '../organisation/roles.ts';
import { exactly, idOf, maybe, text } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Makes a Role. */
export const createRole = defineTool({
  name: 'create_role',
  description:
    'Make a role: a job description in markdown for those who sit in positions that hold it. Say when to act, what to do, where to answer, and to stay quiet on anything else.',
  input: exactly({
    role: maybe(idOf('r', 'role')).describe('its id, such as "r-editor"; made from the title if left out'),
    title: text(200),
    content: text(100_000).describe('the job description, markdown'),
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, { role, title, content }) {
    return { role: await create(core.database, organisation, { id: role, title, content }) };
  },
});

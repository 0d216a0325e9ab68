import { createRole as create, roleDesktops } from '../organisation/roles.ts';
import { exactly, idOf, maybe, oneOf, text } from './tolerant.ts';
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
    desktop: maybe(oneOf('desktop', roleDesktops)).describe(
      '"thread" (if left out): an AI in it has a desktop for each thread, which the thread\'s readers may watch; "worker": one for all its threads, watched by its managers only',
    ),
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, { role, ...rest }) {
    return { role: await create(core.database, organisation, { id: role, ...rest }) };
  },
});

import { roleDesktops, updateRole as update } from '../organisation/roles.ts';
import { exactly, idOf, maybe, oneOf, text } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Edits a Role. */
export const updateRole = defineTool({
  name: 'update_role',
  description:
    "Change a role's title, its content or both. Everybody who holds it works by the new text from their next activation on. The content is replaced as a whole: read it by get_role first if you mean to keep some of it.",
  input: exactly({
    role: idOf('r', 'role').describe('its id'),
    title: maybe(text(200)),
    content: maybe(text(100_000)).describe('the whole new job description, markdown'),
    desktop: maybe(oneOf('desktop', roleDesktops)).describe(
      '"thread": a desktop for each thread, which the thread\'s readers may watch; "worker": one for all its threads, watched by its managers only',
    ),
  }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, input) {
    return { role: await update(core.database, organisation, input) };
  },
});

import { createPosition as create } from '../organisation/positions.ts';
import { exactly, idOf, maybe, text } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Makes a Position. */
export const createPosition = defineTool({
  name: 'create_position',
  description:
    'Make a position: a seat that holds a role and reports to another position. hire_worker puts somebody in it.',
  input: exactly({
    title: text(200),
    role: idOf('r', 'role').describe('the id of the role it holds'),
    reportsTo: maybe(idOf('p', 'position')).describe('the id of the position it reports to'),
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, input) {
    return { position: await create(core.database, organisation, input) };
  },
});

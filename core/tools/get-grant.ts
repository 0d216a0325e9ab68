import { z } from 'zod';
import { NotFoundError } from '../errors.ts';
import { grantedTools } from '../organisation/grants.ts';
import { findWorker } from '../organisation/workers.ts';
import { exactly, maybe, theId, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Grant, or all of one Worker. */
export const getGrant = defineTool({
  name: 'get_grant',
  description: 'Read one grant by its id, such as "w-ada/publish"; or all grants of a worker, by the worker\'s id.',
  input: exactly({
    id: maybe(z.string().trim().min(1).max(300)).describe('"<worker>/<tool>", or a worker'),
    worker: maybe(workerReference()).describe('a worker, id or name: the same as id'),
  }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, { id: said, worker: named }) {
    const id = theId(said, named);
    const slash = id.indexOf('/');
    const { id: worker } = await findWorker(core.database, organisation, slash < 0 ? id : id.slice(0, slash));
    const tools = await grantedTools(core.database, organisation, worker);
    if (slash < 0) return { worker, tools };
    const tool = id.slice(slash + 1);
    if (!tools.includes(tool)) throw new NotFoundError(`no grant "${id}": list_grants says which there are`);
    return { grant: { id: `${worker}/${tool}`, worker, tool } };
  },
});

import { findWorker, getWorker as get } from '../organisation/workers.ts';
import { readersOfAnswer } from './permission.ts';
import { exactly, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Worker. */
export const getWorker = defineTool({
  name: 'get_worker',
  description:
    'Read about one worker: its position, role and managers. Its identity text and addresses are shown to itself and to those who may hire.',
  input: exactly({ id: workerReference().describe('id or name') }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { id }) {
    const { core, organisation } = context;
    const found = await findWorker(core.database, organisation, id);
    return { worker: await get(core.database, organisation, readersOfAnswer(context), found.id) };
  },
});

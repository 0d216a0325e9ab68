import { findWorker, getWorker as get } from '../organisation/workers.ts';
import type { WorkerId } from '../store/ids.ts';
import { readersOfAnswer } from './permission.ts';
import { exactly, maybe, theId, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Worker. */
export const getWorker = defineTool({
  name: 'get_worker',
  description:
    'Read about one worker: its position, role and managers. Its identity text and addresses are shown to itself and to those who may hire.',
  input: exactly({
    id: maybe(workerReference()).describe('id or name'),
    worker: maybe(workerReference()).describe('the same as id'),
  }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { id, worker }) {
    const { core, organisation } = context;
    const reference = theId(id, worker);
    // By id the dismissed are found too: what they said is still there.
    const found = isWorkerId(reference) ? reference : (await findWorker(core.database, organisation, reference)).id;
    return { worker: await get(core.database, organisation, readersOfAnswer(context), found) };
  },
});

function isWorkerId(reference: string): reference is WorkerId {
  return reference.startsWith('w-');
}

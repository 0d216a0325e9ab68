import { z } from 'zod';
import { findWorker, updateIdentity as update } from '../organisation/workers.ts';
import { exactly, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Edits a Worker's identity text. */
export const updateIdentity = defineTool({
  name: 'update_identity',
  description:
    "Replace a worker's identity text: who it is, apart from its role. It counts from the worker's next activation on.",
  input: exactly({
    worker: workerReference().describe('id or name'),
    content: z.string().max(100_000).describe('the whole new text, markdown'),
  }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, { worker, content }) {
    const { id, name } = await findWorker(core.database, organisation, worker);
    await update(core.database, organisation, id, content);
    return { worker: { id, name } };
  },
});

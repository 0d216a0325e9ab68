import { dismissWorker as dismiss } from '../organisation/dismiss-worker.ts';
import { findWorker } from '../organisation/workers.ts';
import { exactly, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Lets a Worker go. */
export const dismissWorker = defineTool({
  name: 'dismiss_worker',
  description:
    'Let a worker go, at once and for good: it loses its grants, subscriptions and tokens, and what it does is stopped. What it said stays.',
  input: exactly({ worker: workerReference().describe('id or name') }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation, worker: by }, { worker }) {
    const { id, name } = await findWorker(core.database, organisation, worker);
    const { cancelledTriggers } = await dismiss(core.database, organisation, { worker: id, by });
    core.waking.announce();
    return { dismissed: { id, name }, cancelledTriggers };
  },
});

import { findWorker } from '../organisation/workers.ts';
import type { WorkerId } from '../store/ids.ts';
import { inviteWorkers as invite } from '../streams/subscriptions.ts';
import { exactly, idOf, listOf, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Subscribes others. */
export const inviteWorkers = defineTool({
  name: 'invite_workers',
  description:
    'Subscribe workers to a stream. Those who are subscribed already stay as they are, so it may be repeated.',
  input: exactly({
    stream: idOf('s', 'stream'),
    workers: listOf(workerReference(), { min: 1, max: 100 }).describe('ids or names'),
  }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, { stream, workers }) {
    const found: WorkerId[] = [];
    for (const worker of workers) found.push((await findWorker(core.database, organisation, worker)).id);
    const invited = await invite(core.database, organisation, { stream, workers: found });
    return { stream, invited, subscribedAlready: found.filter((worker) => !invited.includes(worker)) };
  },
});

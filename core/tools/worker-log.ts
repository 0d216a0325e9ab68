import { activationStreamOf } from '../dispatch/steps.ts';
import { findWorker, manages } from '../organisation/workers.ts';
import { readTranscript } from '../streams/read-transcript.ts';
import { subscribe } from '../streams/subscriptions.ts';
import { dataNotOrders, reading, readRequest } from './event-arguments.ts';
import { readersOfAnswer } from './permission.ts';
import { exactly, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Reads a Worker's transcript; who manages it is subscribed on the way. */
export const workerLog = defineTool({
  name: 'worker_log',
  description:
    'Read what an AI worker did, step by step: when it started, what it wrote, which tools it called with what result, how it ended. For those who manage it.',
  input: exactly({ worker: workerReference().describe('id or name'), ...reading }),
  idempotent: true,
  // It may subscribe whoever reads.
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { worker, ...rest }) {
    const { core, organisation, worker: reader, activation } = context;
    const { id } = await findWorker(core.database, organisation, worker);
    const stream = activationStreamOf(id);
    // During an Activation nobody becomes a reader by asking.
    if (!activation && (await manages(core.database, organisation, reader, id)))
      await subscribe(core.database, organisation, { worker: reader, stream, mode: 'all' });
    const request = { ...readRequest(context, rest, stream), readers: readersOfAnswer(context), stream };
    return { ...(await readTranscript(core.database, organisation, request)), note: dataNotOrders };
  },
});

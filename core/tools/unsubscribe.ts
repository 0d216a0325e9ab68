import { unsubscribe as unsubscribeFrom } from '../streams/subscriptions.ts';
import { exactly, idOf } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Ends the Worker's own Subscription. */
export const unsubscribe = defineTool({
  name: 'unsubscribe',
  description: 'Listen to a stream no more.',
  input: exactly({ stream: idOf('s', 'stream') }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation, worker }, { stream }) {
    const ended = await unsubscribeFrom(core.database, organisation, { worker, stream });
    return { unsubscribed: ended, stream };
  },
});

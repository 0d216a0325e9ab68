import { subscribe as subscribeTo } from '../streams/subscriptions.ts';
import { exactly, idOf, maybe, oneOf } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Subscribes the Worker itself. */
export const subscribe = defineTool({
  name: 'subscribe',
  description:
    'Listen to a stream from now on, or change how: "all" wakes an AI at every message, "mentions" only when it is addressed or takes part in the thread. You may also subscribe to the transcript of a worker that you manage ("s-activation-…").',
  input: exactly({
    stream: idOf('s', 'stream'),
    mode: maybe(oneOf('subscription mode', ['all', 'mentions'])).describe('"all" if left out'),
  }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation, worker }, { stream, mode = 'all' }) {
    await subscribeTo(core.database, organisation, { worker, stream, mode });
    return { subscribed: { worker, stream, mode } };
  },
});

import { InvalidInputError } from '../errors.ts';
import { findWorker } from '../organisation/workers.ts';
import { append } from '../streams/append.ts';
import { directMessagesOf, openDirectMessages } from '../streams/direct-messages.ts';
import { settleDeliveries } from './settle-deliveries.ts';
import { refuseOwnThread, speaker } from './speaker.ts';
import { exactly, text, workerReference } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Says something to one Worker alone, in the one Thread that the two share. */
export const dm = defineTool({
  name: 'dm',
  description:
    'Say something to one colleague alone. The two of you share one thread for it, whoever begins. An AI is woken by it; a person finds it when reading.',
  input: exactly({ worker: workerReference().describe('id or name'), body: text(200_000).describe('markdown') }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { worker: reference, body }) {
    const { core, organisation, worker, signal } = context;
    const other = await findWorker(core.database, organisation, reference);
    if (other.id === worker) throw new InvalidInputError('a direct message to yourself reaches nobody');
    if (other.guest)
      throw new InvalidInputError(
        `${other.id} is a guest and reads no direct messages: answer in the thread you share`,
      );
    refuseOwnThread(context, directMessagesOf(worker, other.id).thread);
    const said = await speaker(context);
    const { stream, thread } = await openDirectMessages(core.database, organisation, worker, other.id);
    const appended = await append(core, {
      organisation,
      stream,
      thread,
      ...said,
      message: { body, to: [other.id] },
      addressed: other.kind === 'ai' ? [other.id] : [],
      addressedByName: other.kind === 'ai',
    });
    const deliveries = appended.deliveries.map((delivery) => delivery.id);
    return {
      event: appended.event,
      stream,
      thread,
      woken: appended.woken,
      deliveries: await settleDeliveries(core, organisation, deliveries, signal),
    };
  },
});

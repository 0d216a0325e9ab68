import { titleOf } from '../desktops/desktop.ts';
import { postDesktop } from '../desktops/post-desktop.ts';
import { InvalidInputError } from '../errors.ts';
import { settleDeliveries } from './settle-deliveries.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { runningDesktop, whichDesktop } from './use-desktop.ts';

/** Posts a link to a Desktop in its Thread. */
export const shareDesktop = defineTool({
  name: 'share_desktop',
  description:
    'Show your desktop to the people of the thread: posts a picture of the screen and a link by which they watch it live. The result says what became of each delivery.',
  input: exactly(whichDesktop),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { desktop: reference }) {
    const { core, organisation, activation, signal } = context;
    const desktop = await runningDesktop(context, reference);
    const thread = desktop.thread;
    if (!thread)
      throw new InvalidInputError(
        'this desktop serves all threads of its worker and is watched by its managers only: it is not shown in a thread',
      );
    const own = activation && desktop.worker === context.worker;
    const body = own ? `${desktop.workerName} shows its desktop.` : `${titleOf(desktop)}:`;
    const { event, deliveries } = await postDesktop(core, desktop, thread, body);
    const ids = deliveries.map(({ id }) => id);
    return {
      desktop: desktop.id,
      thread,
      event,
      deliveries: await settleDeliveries(core, organisation, ids, signal),
    };
  },
});

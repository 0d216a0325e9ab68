import { postDesktop } from '../desktops/post-desktop.ts';
import { InvalidInputError } from '../errors.ts';
import { exactly, text } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { runningDesktop } from './use-desktop.ts';

/** Asks the people of the Thread to do something on the Desktop that the agent cannot do. */
export const askForHelp = defineTool({
  name: 'ask_for_help',
  description:
    'Ask the people of the thread to take over your desktop for something that you cannot or may not do yourself: a login, a captcha, a decision. Posts the screen, your reason and a button to take over, and ends your turn. You are woken when somebody gives control back, or answers.',
  input: exactly({ reason: text(2000).describe('what somebody is to do, and why you cannot: one or two sentences') }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  endsActivation: true,
  async run(context, { reason }) {
    const { core, organisation, activation } = context;
    if (!activation)
      throw new InvalidInputError('this is for an agent at work: only during an activation there is a turn to end');
    const desktop = await runningDesktop(context, undefined);
    // First: whoever gives control back a moment later wakes the agent.
    await core.database.query(
      'update desktop set help_thread = $3, help_activation = $4 where organisation = $1 and id = $2',
      [organisation, desktop.id, activation.thread, activation.id],
    );
    await postDesktop(core, desktop, activation.thread, `${desktop.workerName} needs help: ${reason}`);
    return { asked: true, note: 'Your turn ends here. You are woken when somebody has helped.' };
  },
});
